"""Listening on a Unix socket: a path that only this machine has, with permissions of its own."""

import errno
import os
import socket
import stat
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

_BACKLOG = 2048


class SocketAccess(StrEnum):
    """Which users of this machine may connect."""

    OWNER = "owner"
    GROUP = "group"
    EVERYONE = "everyone"


# To connect takes leave to write (unix(7)).
_MODES: Mapping[SocketAccess, int] = {
    SocketAccess.OWNER: 0o600,
    SocketAccess.GROUP: 0o660,
    SocketAccess.EVERYONE: 0o666,
}


class CannotListen(Exception):
    """A path that cannot be listened on; the text says why and what to do."""


def bind(path: Path, access: SocketAccess) -> socket.socket:
    """Return a socket that listens at `path`, for `access` alone from its first moment.

    One that a process left behind when it was killed is replaced; one that is answered on, or a
    file of another kind, is not. To be called before there are other threads, since the process's
    umask changes for a moment. Raises CannotListen.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise CannotListen("this system has no Unix sockets")
    _make_way(path)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o777 & ~_MODES[SocketAccess.OWNER])
    try:
        listener.bind(str(path))
        path.chmod(_MODES[access])
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_reason(error, path)) from None
    finally:
        os.umask(before)
    return listener


def remove(path: Path, listener_inode: int) -> None:
    """Take the path away, unless something else is there by now."""
    try:
        if path.lstat().st_ino == listener_inode:
            path.unlink()
    except OSError:
        return  # gone already, or not ours to remove any more


def _make_way(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotListen(_reason(error, path)) from None
    if not stat.S_ISSOCK(found.st_mode):
        raise CannotListen("there is a file that is no socket; choose another path, or remove it")
    try:
        if not _is_left_behind(path):
            raise CannotListen(
                "something already listens there, perhaps another `tersely serve`; stop it, or "
                "choose another path"
            )
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotListen(_reason(error, path)) from None


def _is_left_behind(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False  # so busy that its queue is full
    return False


def _reason(error: OSError, path: Path) -> str:
    if error.errno is None:
        return f"the path is too long for a socket ({len(os.fsencode(path))} bytes): {error}"
    return _REASONS.get(error.errno) or error.strerror or type(error).__name__


_REASONS = {
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "its folder is none",
    errno.EACCES: "this user may not write there, or not connect to the socket that is there",
    errno.EROFS: "the file system is read-only there",
    errno.ENAMETOOLONG: "the path is too long for a socket",
}
