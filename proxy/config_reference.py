"""Writes docs/configuration.md from the models' own help texts."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from policies.presets import PRESETS
from policies.types import Role
from proxy.config import Config
from proxy.config_problems import Setting, is_collection, settings

_INTRO = """\
# Configuration

<!-- Generated from the settings' own help texts: `make docs` writes it anew. -->

Tersely reads one YAML file: the one named by `tersely serve --config FILE`, else `config.yaml` in \
the current folder, else the one it comes with, which serves OpenAI with the client's own key. It \
is read again on SIGHUP and when it changes; \
[what takes a restart](security.md#changing-the-config-while-it-runs) is named in the log. \
`tersely check-config FILE` says what is wrong with a file, with line and key, or shows which \
policy each example request would get; `--model`, `--path`, `--header \
NAME=VALUE` and `--tenant` ask about one request.

- Unknown keys are errors, and so is a key that is written twice. A key without a value counts as \
not written.
- Values are taken as written: `mode: on`, `policy: off` and `model: 4.10` need no quotes.
- Secrets stay out of the file. `api_key_env`, `url_env` and `encryption_key_env` name the \
environment variable that holds one, and a variable that is not set is an error at start. There is \
no `${VARIABLE}` in other values.
- A glob knows `*` (anything, slashes included), `?` (one character) and `[abc]` (one of these).
- Relative paths start at the folder that Tersely runs in.

How policies decide, with examples: [policies.md](policies.md).
"""

_WORDS: Mapping[object, str] = {
    str: "text",
    SecretStr: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
    date: "date",
}
_BOUNDS = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))


def reference() -> str:
    """Return the whole page."""
    return "\n".join([_INTRO, *_blocks("", settings(Config))])


def presets_table() -> str:
    """Return the presets as a Markdown table."""
    rows = [("preset", "compresses", "amount", "min_tokens", "for")]
    for name, preset in PRESETS.items():
        policy = preset.policy
        roles = ", ".join(role for role in Role if role in policy.roles) if policy.rate else "-"
        least = str(policy.min_tokens) if policy.rate else "-"
        rows.append((f"`{name}`", roles, policy.amount, least, preset.description))
    return _table(rows)


def _blocks(where: str, block: Mapping[str, Setting]) -> Iterator[str]:
    """Yield a section for every block inside `where`, depth first."""
    for name, setting in block.items():
        if setting.block is None:
            continue
        collection = is_collection(setting.field.annotation)
        place = f"{where}{name}"
        if collection:
            place += "[]" if get_origin(setting.field.annotation) is tuple else ".NAME"
        inner = settings(setting.block)
        about = setting.field.description or (setting.block.__doc__ or "").strip().split("\n")[0]
        plain = {key: item for key, item in inner.items() if item.block is None}
        yield f"## {place}\n\n{about}\n\n{_table(_rows(plain))}\n"
        yield from _blocks(f"{place}.", inner)


def _rows(block: Mapping[str, Setting]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("key", "value", "default", "what it does")]
    for name, setting in block.items():
        field = setting.field
        rows.append((f"`{name}`", _value(field), _default(field), field.description or ""))
    return rows


def _value(field: FieldInfo) -> str:
    bounds = [
        f"{word} {bound:,}"
        for mark in field.metadata
        for attribute, word in _BOUNDS
        if (bound := getattr(mark, attribute, None)) is not None
    ]
    return ", ".join([_type(field.annotation), *bounds])


def _type(annotation: Any) -> str:  # noqa: ANN401  (a type expression may be anything)
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(arg) for arg in arguments if arg is not NoneType))
    if origin is Literal:
        return _choices(arguments)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choices([item.value for item in annotation])
    if origin in (tuple, frozenset):
        return f"list of {_type(arguments[0])}"
    if is_collection(annotation):
        return f"text: {_type(arguments[1])}"
    return "text" if origin is None else _type(arguments[0])


def _choices(values: Sequence[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ({}, ()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, frozenset):
        kind: type[StrEnum] = type(next(iter(value)))
        return ", ".join(f"`{item}`" for item in kind if item in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _table(rows: Sequence[Sequence[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    head, *body = (f"| {' | '.join(cells)} |" for cells in escaped)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page, write it to a file, or check that a file is fresh (exit status 1 if not)."""
    parser = argparse.ArgumentParser(prog="python -m proxy.config_reference", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="write here instead of printing")
    parser.add_argument("--check", action="store_true", help="only say whether PATH is fresh")
    given = parser.parse_args(arguments)
    page = reference()
    if given.path is None:
        sys.stdout.write(page)
        return 0
    if not given.check:
        given.path.write_text(page, "utf-8")
        return 0
    if given.path.exists() and given.path.read_text("utf-8") == page:
        return 0
    sys.stderr.write(f"{given.path} is stale: run `make docs` and commit it\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
