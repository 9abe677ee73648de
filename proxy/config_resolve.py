"""What config.yaml says -> what it means: presets merged in, secrets and folders looked up."""

import base64
import binascii
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policies.presets import PRESETS, complete
from proxy.config_file import Key
from proxy.config_problems import Complaint, unknown_name

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class _Secret:
    """A field that `source`, the name of an environment variable, fills in."""

    field: str
    source: str
    without: str
    in_file: bool = False  # whether the value itself may stand in config.yaml


_API_KEY: Final = _Secret(
    "api_key", "api_key_env", "or leave the key out to pass the client's own key on"
)
_ADDRESS: Final = _Secret(
    "url", "url_env", "or leave the key out to do without a shared cache", in_file=True
)
_ENCRYPTION_KEY: Final = _Secret(
    "encryption_key",
    "encryption_key_env",
    "or leave the key out to store shared values unencrypted",
)
_MAKE_KEY: Final = (
    "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
)


@dataclass(slots=True)
class Resolved:
    """A config's values, made complete, and what was found wrong on the way.

    `moved` leads from a key that was filled in to the key that was written.
    """

    values: dict[str, object]
    environment: Mapping[str, str]
    need_secrets: bool
    complaints: list[Complaint] = field(default_factory=list)
    moved: dict[tuple[Key, ...], tuple[Key, ...]] = field(default_factory=dict)


def resolve(
    written: Mapping[str, object], environment: Mapping[str, str], *, need_secrets: bool = True
) -> Resolved:
    """Return what `written` means. Takes any shape: what is out of shape is left to the models.

    With `need_secrets` false, variables that are not set are left alone.
    """
    resolved = Resolved(dict(written), environment, need_secrets)
    _check_sections(resolved)
    _fill_upstreams(resolved)
    _fill_cache(resolved)
    _complete_policies(resolved)
    _check_routes(resolved)
    _fill_savings_path(resolved)
    _expand_sample_path(resolved)
    return resolved


def _check_sections(resolved: Resolved) -> None:
    if resolved.values.get("upstreams") == {}:
        resolved.complaints.append((("upstreams",), "is empty; name at least one upstream"))
    if resolved.values.get("access") == {}:
        text = "is empty, so everybody would be let in; give it keys or keys_file, or remove it"
        resolved.complaints.append((("access",), text))
    if resolved.values.get("routes") == []:
        text = "is empty: no request would be served; `- {policy: off, upstream: NAME}` takes all"
        resolved.complaints.append((("routes",), text))


def _blocks(section: object) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(section, dict):
        yield from ((name, block) for name, block in section.items() if isinstance(block, dict))


def _fill_upstreams(resolved: Resolved) -> None:
    section = resolved.values.get("upstreams")
    if not isinstance(section, dict):
        return
    filled = dict(section)
    for name, block in _blocks(section):
        filled[name] = _fill(resolved, ("upstreams", name), block, _API_KEY)
        if block.get("via") == "litellm" and importlib.util.find_spec("litellm") is None:
            text = "needs the litellm extra: pip install 'tersely[litellm]'"
            resolved.complaints.append((("upstreams", name, "via"), text))
    resolved.values["upstreams"] = filled


def _fill_cache(resolved: Resolved) -> None:
    block = resolved.values.get("cache")
    if not isinstance(block, dict):
        return
    if "url_env" in block and "url" in block:
        text = "the address is given twice, as `url` and as `url_env`; keep one of them"
        resolved.complaints.append((("cache", "url_env"), text))
    else:
        block = _fill(resolved, ("cache",), block, _ADDRESS)
    block = _fill(resolved, ("cache",), block, _ENCRYPTION_KEY)
    if "encryption_key" in block:
        _check_encryption_key(resolved, str(block["encryption_key"]))
    resolved.values["cache"] = block


def _check_encryption_key(resolved: Resolved, key: str) -> None:
    where = ("cache", "encryption_key_env")
    try:
        size = len(base64.urlsafe_b64decode(key))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        text = "the variable does not hold a Fernet key, 32 bytes in URL-safe base64; make one: "
        resolved.complaints.append((where, text + _MAKE_KEY))
    if importlib.util.find_spec("cryptography") is None:
        text = "needs the encryption extra: pip install 'tersely[encryption]'"
        resolved.complaints.append((where, text))


def _fill(
    resolved: Resolved,
    at: tuple[Key, ...],
    block: Mapping[str, object],
    secret: _Secret,
) -> dict[str, object]:
    """Return the block with the secret read from the environment variable that it names."""
    filled = dict(block)
    if secret.field in filled and not secret.in_file:
        del filled[secret.field]
        text = f"keys do not belong in this file; name an environment variable in {secret.source}"
        resolved.complaints.append(((*at, secret.field), text))
    source, target = (*at, secret.source), (*at, secret.field)
    name = filled.get(secret.source)
    if not isinstance(name, str):
        return filled
    value = resolved.environment.get(name, "").strip()
    if not _ENVIRONMENT_NAME.fullmatch(name):
        # not shown: it may be the key itself
        text = "is not the name of an environment variable, like OPENAI_API_KEY"
        if name.startswith("$"):
            text += "; write the name alone, without $ or braces"
        resolved.complaints.append((source, text))
    elif not value and resolved.need_secrets:
        shown = f"environment variable {name}" if name.isupper() else "that environment variable"
        state = "empty" if name in resolved.environment else "not set"
        resolved.complaints.append((source, f"{shown} is {state}; set it, {secret.without}"))
    elif not value.isprintable() or not value.isascii():
        text = "the variable holds characters that no key or address has; set it again"
        resolved.complaints.append((source, text))
    elif value:
        filled[secret.field] = value
        resolved.moved[target] = source
    return filled


def _complete_policies(resolved: Resolved) -> None:
    """Put in what presets say; presets that are not declared join under their own names."""
    section = resolved.values.get("policies", {})
    if not isinstance(section, dict):
        return
    complete_ones: dict[str, object] = {name: complete(name, {}) for name in PRESETS}
    for name, written in section.items():
        if not isinstance(written, dict):
            complete_ones[name] = written
            continue
        own = dict(written)
        if "name" in own:
            text = "a policy is named by its key; remove this line"
            resolved.complaints.append((("policies", name, "name"), text))
            del own["name"]
        preset = own.get("preset")
        if isinstance(preset, str) and preset not in PRESETS:
            text = unknown_name("preset", preset, PRESETS)
            resolved.complaints.append((("policies", name, "preset"), text))
            own["preset"] = "balanced"  # so that its amount is not called missing as well
        complete_ones[name] = complete(name, own)
    resolved.values["policies"] = complete_ones


def _check_routes(resolved: Resolved) -> None:
    routes = resolved.values.get("routes")
    if not isinstance(routes, list):
        return
    for kind, section in (("policy", "policies"), ("upstream", "upstreams")):
        known = resolved.values.get(section)
        if not isinstance(known, dict):
            continue
        for index, route in enumerate(routes):
            named = route.get(kind) if isinstance(route, dict) else None
            for key, name in _names(named):
                if name not in known:
                    text = unknown_name(kind, name, known)
                    resolved.complaints.append((("routes", index, kind, *key), text))


def _names(named: object) -> Iterator[tuple[tuple[Key, ...], str]]:
    """Yield the names in a route's `policy` or `upstream`, each with its key below that."""
    if isinstance(named, str):
        yield (), named
    elif isinstance(named, list):
        for index, item in enumerate(named):
            name = item.get("name") if isinstance(item, dict) else item
            if isinstance(name, str):
                yield ((index, "name") if isinstance(item, dict) else (index,)), name


def _fill_savings_path(resolved: Resolved) -> None:
    block = resolved.values.get("savings", {})
    if not isinstance(block, dict):
        return
    home = _home(resolved)
    path = block.get("path")
    if path is None:
        data = resolved.environment.get("XDG_DATA_HOME", "")
        # the XDG base directory specification: a path that is not absolute is to be ignored
        folder = Path(data) if Path(data).is_absolute() else Path(home, ".local", "share")
        path = str(folder / "tersely" / "savings.db")
    elif isinstance(path, str) and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    resolved.values["savings"] = {**block, "path": path}


def _expand_sample_path(resolved: Resolved) -> None:
    block = resolved.values.get("sample")
    path = block.get("path") if isinstance(block, dict) else None
    if isinstance(block, dict) and isinstance(path, str) and path.startswith("~/"):
        resolved.values["sample"] = {**block, "path": _home(resolved) + path[1:]}


def _home(resolved: Resolved) -> str:
    return resolved.environment.get("HOME") or str(Path.home())
