import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result
from websockets.exceptions import InvalidStatus
from websockets.sync.client import unix_connect

from proxy.commands import serve as command
from proxy.commands.serve import announcement, listen
from proxy.config import Loaded, ServerConfig, read
from proxy.reload import ConfigSource
from tests.proxy.config_files import LEAST

ROOT = Path(__file__).parents[3]
OFFLINE = """\
upstreams: {nowhere: {base_url: "http://127.0.0.1:9/v1"}}
routes: [{policy: off, upstream: nowhere}]
savings: {path: savings.db}
"""
SCRIPT = "import typer; from proxy.commands.serve import serve; typer.run(serve)"


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.serve)
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST + "savings: {path: /data/savings.db}\n")
    return path


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Loaded]:
    """What would have been served; the listening socket is closed."""
    seen: list[Loaded] = []

    def run(source: ConfigSource, listener: socket.socket) -> None:
        listener.close()
        seen.append(source.loaded)
        assert source.read().config == source.loaded.config  # with the options once more

    monkeypatch.setattr(command, "run", run)
    return seen


def test_address_options_come_before_the_file(path: Path, served: list[Loaded]) -> None:
    assert invoke("--config", str(path), "--port", "0", "--host", "localhost").exit_code == 0
    assert (served[0].config.server.host, served[0].config.server.port) == ("localhost", 0)


def test_a_unix_socket_comes_before_the_files_address(path: Path, served: list[Loaded]) -> None:
    place = path.parent / "t.sock"
    path.write_text(path.read_text() + "server: {port: 9}\n")
    assert invoke("--config", str(path), "--uds", str(place)).exit_code == 0
    assert served[0].config.server.uds == place
    assert place.is_socket()
    path.write_text(path.read_text().replace("port: 9", f"uds: {place}.file"))
    assert invoke("--config", str(path), "--port", "0").exit_code == 0
    assert served[1].config.server.uds is None
    result = invoke("--config", str(path), "--uds", str(place), "--port", "0")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (
        2,
        "--uds takes the place of --host and --port",
    )


def test_a_unix_socket_that_cannot_be(path: Path, served: list[Loaded]) -> None:
    result = invoke("--config", str(path), "--uds", str(path))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"cannot listen on {path}: there is a file that is no socket")
    assert not served


def test_warnings_are_shown_at_start(path: Path, served: list[Loaded]) -> None:
    path.write_text(LEAST.replace("policy:", "match: {path: /v1/*}, policy:"))
    result = invoke("--config", str(path), "--port", "0")
    assert result.stderr.startswith(f"warning: {path}:3: routes: no route takes every request")
    assert served


def test_a_bad_config_is_explained_and_nothing_starts(path: Path, served: list[Loaded]) -> None:
    path.write_text(LEAST + "extra: 1\n")
    result = invoke("--config", str(path))
    assert result.exit_code == 2
    assert f"{path}:5: extra: is not a known key" in result.stderr
    assert f"`tersely check-config {path}`" in result.stderr
    assert not served


def test_a_port_in_use(path: Path, taken: int, served: list[Loaded]) -> None:
    result = invoke("--config", str(path), "--port", str(taken))
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1 port {taken}: something else already does" in result.stderr
    assert "--port" in result.stderr
    assert not served


def test_an_address_of_another_machine(capsys: pytest.CaptureFixture[str]) -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it
    with pytest.raises(typer.Exit):
        listen(ServerConfig(host="192.0.2.1", port=0))
    assert "that is not an address of this machine" in capsys.readouterr().err


def test_a_name_that_does_not_resolve(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(typer.Exit):
        listen(ServerConfig(host="nowhere", port=0))
    assert "there is no such host" in capsys.readouterr().err


def test_the_announcement(path: Path) -> None:
    with closing(listen(ServerConfig(port=0))) as listener:
        port = listener.getsockname()[1]
        assert announcement(read(path, {}), listener).splitlines() == [
            f"Tersely listens on http://127.0.0.1:{port}",
            f"  config   {path}",
            "  default  chat requests get policy balanced (on, rate 0.5) and go to openai, "
            "https://api.openai.com/v1",
            "  savings  /data/savings.db (`tersely savings` shows them)",
            f"  clients  OPENAI_BASE_URL=http://127.0.0.1:{port}/v1",
        ]


def test_the_announcement_of_a_unix_socket(path: Path) -> None:
    place = path.parent / "t.sock"
    path.write_text(path.read_text() + f"server: {{uds: {place}}}\n")
    loaded = read(path, {})
    with closing(listen(loaded.config.server)) as listener:
        lines = announcement(loaded, listener).splitlines()
    assert lines[0] == f"Tersely listens on unix:{place}"
    assert lines[-1] == f"  clients  curl --unix-socket {place} http://localhost/v1/models"


def test_an_announcement_names_an_address_that_can_be_called(path: Path) -> None:
    with closing(listen(ServerConfig(host="0.0.0.0", port=0))) as listener:
        port = listener.getsockname()[1]
        assert f"OPENAI_BASE_URL=http://127.0.0.1:{port}/v1" in announcement(
            read(path, {}), listener
        )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("policy: balanced", "policy: off", "policy off (off) and go to openai"),
        ("policy:", "match: {path: /x}, policy:", "no route takes a plain chat request"),
    ],
)
def test_other_defaults_are_announced(path: Path, old: str, new: str, words: str) -> None:
    path.write_text(LEAST.replace(old, new))
    with closing(listen(ServerConfig(port=0))) as listener:
        assert words in announcement(read(path, {}), listener)


def test_what_the_app_refuses_is_explained(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("the address is of no use")

    monkeypatch.setattr("proxy.app.create_app", refuse)
    loaded = read(path, {})
    with closing(listen(ServerConfig(port=0))) as listener, pytest.raises(typer.Exit):
        command.run(ConfigSource(loaded, lambda: loaded), listener)
    assert capsys.readouterr().err == f"{path}: the address is of no use\n"


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(OFFLINE)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline().strip()
            assert first.startswith("Tersely listens on http://127.0.0.1:")
            url = first.removeprefix("Tersely listens on ")
            with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
                assert answer.status == 200
                assert "server" not in answer.headers
                assert "date" not in answer.headers
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert (tmp_path / "savings.db").exists()


def test_it_serves_on_a_unix_socket(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(OFFLINE)
    place = tmp_path / "t.sock"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "--uds", "t.sock"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    transport = httpx.HTTPTransport(uds=str(place))
    with process, httpx.Client(transport=transport, base_url="http://tersely") as client:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            assert process.stderr.readline() == f"Tersely listens on unix:{place}\n"
            assert stat.S_IMODE(place.stat().st_mode) == 0o600
            assert client.get("/healthz").json() == {"status": "ok"}
            # no keys are asked for; the upstream is not there
            answer = client.get("/v1/models")
            assert (answer.status_code, answer.json()["error"]["code"]) == (
                502,
                "upstream_unreachable",
            )
            with pytest.raises(InvalidStatus, match="502"):
                unix_connect(str(place), "ws://tersely/v1/realtime", compression=None)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert '"path":"/v1/models"' in process.stdout.read()
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert not place.exists()


def test_it_refuses_to_be_open_to_other_machines(path: Path, served: list[Loaded]) -> None:
    result = invoke("--config", str(path), "--port", "0", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{path}: 0.0.0.0 is reached from other machines")
    assert not served


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", ["--allow-open"]),
        ("server: {allow_open: true}\n", []),
        ("access: {keys: {}}\n", []),
    ],
)
def test_keys_or_a_plain_word_let_it(
    path: Path, served: list[Loaded], text: str, options: list[str]
) -> None:
    path.write_text(path.read_text() + text)
    result = invoke("--config", str(path), "--port", "0", "--host", "0.0.0.0", *options)
    assert result.exit_code == 0, result.stderr
    assert served[0].config.server.host == "0.0.0.0"
