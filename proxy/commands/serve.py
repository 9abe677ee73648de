"""`tersely serve`: the proxy itself."""

import asyncio
import errno
import signal
import socket
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from policies.match import first_match
from policies.types import Mode, RequestFacts
from proxy import unix_socket
from proxy.config import Config, ConfigError, Loaded, ServerConfig, find, read
from proxy.config_warnings import warnings
from proxy.listening import why_not_to_listen
from proxy.reload import ConfigSource

_BACKLOG = 2048
_UNUSABLE = 2


def serve(
    config: Annotated[
        Path | None,
        typer.Option(help="Settings; without it ./config.yaml, else the one Tersely comes with."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Listen here, whatever the file says.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen on this port; 0 takes a free one.")
    ] = None,
    uds: Annotated[
        Path | None, typer.Option(help="Listen on a Unix socket at this path instead.")
    ] = None,
    allow_open: Annotated[
        bool,
        typer.Option(
            "--allow-open", help="Listen where other machines reach it although there are no keys."
        ),
    ] = False,
) -> None:
    """Start the proxy. Records go to standard output, everything else to standard error."""
    path = find(config)
    if uds is not None and (host is not None or port is not None):
        _fail("--uds takes the place of --host and --port: give one or the other")

    def read_it() -> Loaded:
        return _with_options(read(path), host, port, uds, allow_open=allow_open)

    try:
        loaded = read_it()
    except ConfigError as error:
        _fail(f"{error}\n`tersely check-config {error.path}` checks it again.")
    if (why := why_not_to_listen(loaded.config)) is not None:
        _fail(f"{loaded.path}: {why}")
    listener = listen(loaded.config.server)
    for warning in warnings(loaded):
        typer.echo(f"warning: {loaded.path}:{warning}", err=True)
    run(ConfigSource(loaded, read_it, _tell), listener)


def run(source: ConfigSource, listener: socket.socket) -> None:
    """Serve on a listening socket until a signal ends it; SIGHUP has the config read again."""
    loaded = source.loaded
    # the model runtimes and the server take most of a second to import: not for `--help`
    import uvicorn  # noqa: PLC0415

    from proxy.app import create_app  # noqa: PLC0415
    from proxy.server import uvicorn_config  # noqa: PLC0415

    class Announcing(uvicorn.Server):
        """Says where it listens once it does."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                if hasattr(signal, "SIGHUP"):
                    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.state.reload)
                typer.echo(announcement(loaded, listener), err=True)

    try:
        app = create_app(loaded.config, source=source)
    except ValueError as error:
        _fail(f"{loaded.path}: {error}")
    server = Announcing(uvicorn_config(app, loaded.config.server))
    uds = loaded.config.server.uds
    inode = uds.lstat().st_ino if uds is not None else 0
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return  # uvicorn has shut down in order and raises the signal once more
    finally:
        if uds is not None:
            unix_socket.remove(uds, inode)
    if not server.started:
        _fail("the proxy could not start; what went wrong is above")


def listen(server: ServerConfig) -> socket.socket:
    """Return a socket that listens where the config says, or exit with the reason."""
    if server.uds is not None:
        try:
            return unix_socket.bind(server.uds, server.uds_access)
        except unix_socket.CannotListen as why:
            _fail(f"cannot listen on {server.uds}: {why} (server.uds, --uds)")
    where = f"{server.host} port {server.port}"
    try:
        found = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except socket.gaierror:
        _fail(f"cannot listen on {where}: there is no such host (server.host, --host)")
    except OSError as error:
        _fail(f"cannot listen on {where}: {_REASONS.get(error.errno or 0, error.strerror)}")


_REASONS = {
    errno.EADDRINUSE: "something else already does, perhaps another `tersely serve`; stop it, or "
    "choose another port with --port or server.port",
    errno.EACCES: "this user may not use that port; choose one above 1023",
    errno.EADDRNOTAVAIL: "that is not an address of this machine; 127.0.0.1 is this machine only, "
    "0.0.0.0 all its addresses",
}


def announcement(loaded: Loaded, listener: socket.socket) -> str:
    """Return what a person who just started the proxy wants to know."""
    uds = loaded.config.server.uds
    if uds is not None:
        where = f"unix:{uds.absolute()}"
        clients = f"curl --unix-socket {uds.absolute()} http://localhost/v1/models"
    else:
        host, port = listener.getsockname()[:2]
        where = f"http://{_reachable(host)}:{port}"
        clients = f"OPENAI_BASE_URL={where}/v1"
    return "\n".join(
        [
            f"Tersely listens on {where}",
            f"  config   {loaded.path}",
            f"  default  {_default(loaded.config)}",
            f"  savings  {loaded.config.savings.path} (`tersely savings` shows them)",
            f"  clients  {clients}",
        ]
    )


def _reachable(host: str) -> str:
    """Return the address to call where `host` is the address to listen on."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  (compared with, not bound to)
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _default(config: Config) -> str:
    """Describe what a chat request with an ordinary model gets."""
    facts = RequestFacts(model="gpt-4o", path="/v1/chat/completions", tenant="anonymous")
    route = first_match(config.routes, facts)
    if route is None:
        return "no route takes a plain chat request: see `tersely check-config`"
    where = ", then ".join(
        f"{share.name}, {config.upstreams[share.name].where}" for share in route.upstreams
    )
    policy = config.policies[route.policy]
    what = str(policy.mode) if policy.mode is Mode.OFF else f"{policy.mode}, {policy.amount}"
    return f"chat requests get policy {policy.name} ({what}) and go to {where}"


def _with_options(
    loaded: Loaded, host: str | None, port: int | None, uds: Path | None, *, allow_open: bool
) -> Loaded:
    given = {"host": host, "port": port, "uds": uds, "allow_open": allow_open or None}
    update: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if update.keys() & {"host", "port"}:
        update["uds"] = None
    server = loaded.config.server.model_copy(update=update)
    config = loaded.config.model_copy(update={"server": server})
    return Loaded(config, loaded.path, loaded.document)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(_UNUSABLE)
