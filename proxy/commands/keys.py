"""`tersely keys`: makes proxy keys, each shown once and kept nowhere, and lists those there are."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from pydantic import ValidationError

from proxy.access import digest_of, expired, new_key
from proxy.config import ConfigError, find, read, read_keys
from proxy.config_access import AccessKey, check_name

_UNUSABLE = 2
_SPAN = re.compile(r"(\d+)([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_LIMITS = ("requests_per_minute", "tokens_per_minute", "tokens_per_day")


def build_keys() -> typer.Typer:
    """Return the `keys` command with its subcommands."""
    app = typer.Typer(
        no_args_is_help=True, help="Make proxy keys and list them (config.yaml: access)."
    )
    app.command("create")(create)
    app.command("list")(list_keys)
    return app


def create(
    name: Annotated[str, typer.Argument(help="What the key is called in the config and records.")],
    *,
    tenant: Annotated[str | None, typer.Option(help="Whose it is; its own name if left out.")] = (
        None
    ),
    expires: Annotated[
        str | None, typer.Option(help="A span from now like 90d, 12h, 4w, or a date or time.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Glob of models it may ask for; may be repeated.")
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help="Glob of policies it may have; may be repeated.")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="Glob of paths it may use; may be repeated.")
    ] = None,
    control_headers: Annotated[
        bool, typer.Option("--control-headers", help="Let it send x-tersely-* headers.")
    ] = False,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    tokens_per_day: Annotated[int | None, typer.Option(min=1)] = None,
    add_to: Annotated[
        Path | None, typer.Option(help="Append the entry to this access.keys_file.")
    ] = None,
) -> None:
    """Make a key, show it once, and print the entry that lets it in."""
    key = new_key()
    limits = dict(
        zip(_LIMITS, (requests_per_minute, tokens_per_minute, tokens_per_day), strict=True)
    )
    values = {
        "sha256": digest_of(key),
        "tenant": tenant,
        "expires": None if expires is None else _moment(expires),
        "models": model or None,
        "policies": policy or None,
        "paths": path or None,
        "control_headers": control_headers or None,
        "limits": {name: value for name, value in limits.items() if value is not None} or None,
    }
    values = {name: value for name, value in values.items() if value is not None}
    try:
        check_name(name)
        AccessKey.model_validate(values)
    except ValidationError as error:
        _fail("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors(include_url=False)))
    except ValueError as error:
        _fail(str(error))
    entry = as_yaml(name, values)
    if add_to is None:
        where = "Under `access: keys:` in config.yaml, or in your access.keys_file:"
    else:
        _append(add_to, name, entry)
        where = f"Added to {add_to}:"
    typer.echo(f"The key, shown this once:\n\n{key}\n\n{where}\n\n{entry}", nl=False)


def list_keys(
    config: Annotated[
        Path | None, typer.Option(help="Settings; without it as for `tersely serve`.")
    ] = None,
) -> None:
    """Show the keys of a config, with the first digits of their SHA-256."""
    try:
        loaded = read(find(config), need_secrets=False)
    except ConfigError as error:
        _fail(str(error))
    access = loaded.config.access
    if not access.keys:
        state = "nobody is let in" if access.required else "everybody is let in"
        typer.echo(f"{loaded.path} has no proxy keys: {state}.")
    now = time.time()
    for name, key in access.keys.items():
        typer.echo("  ".join([name, *_shown(name, key, now)]))


def as_yaml(name: str, values: Mapping[str, object]) -> str:
    """Return one key's block as it stands in a config, without indentation."""
    lines = [f"{name}:"]
    for field, value in values.items():
        if isinstance(value, dict):
            lines += [f"  {field}:", *(f"    {key}: {item}" for key, item in value.items())]
        else:
            # JSON is YAML, and it quotes what needs it.
            lines.append(f"  {field}: {orjson.dumps(value).decode()}")
    return "\n".join(lines) + "\n"


def _shown(name: str, key: AccessKey, now: float) -> Iterator[str]:
    yield f"sha256={key.sha256.get_secret_value()[:8]}..."
    yield f"tenant={key.tenant or name}"
    if key.expires is not None:
        word = "expired" if expired(key, now) else "expires"
        yield f"{word}={key.expires.astimezone(UTC).isoformat(timespec='minutes')}"
    for field in ("models", "policies", "paths"):
        if (globs := getattr(key, field)) is not None:
            yield f"{field}={','.join(globs)}"
    if key.control_headers:
        yield "control_headers"
    if key.limits is not None:
        for field in _LIMITS:
            if (limit := getattr(key.limits, field)) is not None:
                yield f"{field}={limit}"


def _moment(written: str) -> str:
    """Return a span from now as a moment; anything else as it is, for the config to judge."""
    span = _SPAN.fullmatch(written)
    if span is None:
        return written
    when = datetime.now(UTC) + timedelta(hours=int(span[1]) * _HOURS[span[2]])
    return when.isoformat(timespec="seconds")


def _append(path: Path, name: str, entry: str) -> None:
    try:
        if path.exists() and name in read_keys(path):
            _fail(f"{path} has a key '{name}' already; remove it there or choose another name")
        # Hashes are no secrets, but who may call is nobody else's business.
        with open(path, "a+b", opener=_private) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                entry = entry if file.read(1) == b"\n" else f"\n{entry}"
            file.write(entry.encode())
    except ConfigError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"cannot write {path}: {error.strerror}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(_UNUSABLE)
