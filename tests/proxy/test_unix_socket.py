import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from proxy.unix_socket import CannotListen, SocketAccess, bind, remove


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.sock"


@pytest.mark.parametrize(
    ("access", "mode"),
    [
        (SocketAccess.OWNER, 0o600),
        (SocketAccess.GROUP, 0o660),
        (SocketAccess.EVERYONE, 0o666),
    ],
)
def test_who_may_connect(path: Path, access: SocketAccess, mode: int) -> None:
    with closing(bind(path, access)), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == mode
        client.connect(str(path))


def test_one_that_was_left_behind_is_replaced(path: Path) -> None:
    bind(path, SocketAccess.EVERYONE).close()
    assert path.is_socket()
    with closing(bind(path, SocketAccess.OWNER)), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client.connect(str(path))


def test_one_that_is_in_use_is_not(path: Path) -> None:
    with closing(bind(path, SocketAccess.OWNER)) as first:
        with pytest.raises(CannotListen, match="something already listens there"):
            bind(path, SocketAccess.OWNER)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            first.accept()[0].close()


def test_a_file_of_another_kind_is_left_alone(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(CannotListen, match="a file that is no socket"):
        bind(path, SocketAccess.OWNER)
    assert path.read_text() == "mine"


def test_a_link_is_left_alone(path: Path) -> None:
    other = path.with_name("other")
    path.symlink_to(other)
    with pytest.raises(CannotListen, match="a file that is no socket"):
        bind(path, SocketAccess.OWNER)
    assert not other.exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/such/t.sock", "its folder does not exist"),
        ("x" * 150, "the path is too long for a socket"),
        ("x" * 300, "the path is too long for a socket"),
        ("file/t.sock", "its folder is none"),
    ],
)
def test_places_that_cannot_be(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotListen, match=why):
        bind(tmp_path / name, SocketAccess.OWNER)


def test_only_its_own_path_is_taken_away(path: Path) -> None:
    with closing(bind(path, SocketAccess.OWNER)):
        inode = path.stat().st_ino
        remove(path, inode + 1)
        assert path.exists()
        remove(path, inode)
        assert not path.exists()
        remove(path, inode)
