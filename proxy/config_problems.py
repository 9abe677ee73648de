"""What pydantic finds wrong with a config -> words for the person who wrote it."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from proxy.config_file import Key

_SHOWN = 60
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg])i?b?", re.IGNORECASE)
_POWERS = {"k": 10, "m": 20, "g": 30}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that config.yaml may set: its field, and the model that it may be a block of."""

    field: FieldInfo
    block: type[BaseModel] | None


def settings(model: type[BaseModel]) -> dict[str, Setting]:
    """Return what may be written in a model's block, by the name it is written with.

    Leaves out what `load` fills in and what the block's own key says.
    """
    return {
        field.alias or name: Setting(field, block_of(field.annotation))
        for name, field in model.model_fields.items()
        if not (isinstance(field.json_schema_extra, Mapping))
    }


def block_of(annotation: object) -> type[BaseModel] | None:
    """Return the model in a field's type: itself, or the items of its mapping or list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := block_of(arg))), None)


def is_collection(annotation: object) -> bool:
    """Return whether a field holds many values under names of the user's choice, or in a list."""
    return get_origin(annotation) in (tuple, frozenset) or _is_mapping(annotation)


def _is_mapping(annotation: object) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def find(model: type[BaseModel], key: Sequence[Key]) -> Setting | None:
    """Return the setting at a key, or that holds what is there; None where there is none."""
    found: Setting | None = None
    block: type[BaseModel] | None = model
    steps = iter(key)
    for step in steps:
        if block is None:
            break
        found = settings(block).get(str(step))
        if found is None:
            return None
        block = found.block
        if is_collection(found.field.annotation):
            next(steps, None)
    return found


Complaint = tuple[tuple[Key, ...], str]


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Yield the key and the explanation of everything that `error` holds; shows no secret."""
    for detail in error.errors(include_url=False):
        key = detail["loc"]
        setting = find(model, key)
        if detail["type"] == "extra_forbidden":
            holder = find(model, key[:-1])
            block = model if holder is None else holder.block
            yield key, unknown_key(str(key[-1]), settings(block) if block else ())
        elif detail["type"] == "value_error":
            yield key, str(detail.get("ctx", {}).get("error", detail["msg"]))
        else:
            words = _WORDS.get(detail["type"], _pydantics_words)(detail, _shown(detail, setting))
            about = None if setting is None else setting.field.description
            yield key, _sentences(words, _first_sentence(about))


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Say that a key is not known, which one may have been meant, and which there are."""
    names = list(known)
    return f"is not a known key{suggestion(key, names)} (known here: {', '.join(names)})"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no `kind` called `name`, and which one may have been meant."""
    names = sorted(known)
    there_are = f" (there are: {', '.join(names)})" if names else ""
    return f"there is no {kind} '{_cut(name)}'{suggestion(name, names)}{there_are}"


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return "; did you mean X?" for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _sentences(first: str, second: str) -> str:
    if not second:
        return first
    return f"{first}{'' if first.endswith('?') else '.'} {second}"


def _first_sentence(text: str | None) -> str:
    return "" if text is None else re.split(r"(?<=\.)\s", text, maxsplit=1)[0].rstrip(".")


def _shown(detail: ErrorDetails, setting: Setting | None) -> str:
    """Return what was written, short; not where it may be secret."""
    given = detail["input"]
    if given is None:
        return "nothing"
    if setting is not None and SecretStr in (
        setting.field.annotation,
        *get_args(setting.field.annotation),
    ):
        return "what is written"
    if isinstance(given, Mapping):
        return "a block of keys"
    if isinstance(given, list):
        return "a list"
    text = str(given)
    # user:password@host
    return "what is written" if "@" in text else f"'{_cut(text)}'"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


_Words = Callable[[ErrorDetails, str], str]


def _pydantics_words(detail: ErrorDetails, shown: str) -> str:
    message = detail["msg"]
    return f"{shown} does not fit: {message[:1].lower()}{message[1:]}"


def _bound(word: str, bound: str) -> _Words:
    def words(detail: ErrorDetails, shown: str) -> str:
        return f"{shown.strip(chr(39))} is {word} {detail.get('ctx', {})[bound]:g}"

    return words


def _not_a(wanted: str) -> _Words:
    return lambda _, shown: f"{shown} is not {wanted}"


def _not_a_whole_number(detail: ErrorDetails, shown: str) -> str:
    size = _SIZE.fullmatch(str(detail["input"]))
    if size is None:
        return f"{shown} is not a whole number"
    number = round(float(size[1]) * 2 ** _POWERS[size[2].lower()])
    return f"{shown} is not a whole number; if bytes are meant, write {number}"


def _not_a_number(detail: ErrorDetails, shown: str) -> str:
    percent = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(detail["input"]))
    hint = f"; write {float(percent[1]) / 100:g}" if percent else ""
    return f"{shown} is not a number{hint}"


def _not_one_of(detail: ErrorDetails, shown: str) -> str:
    choices = re.findall(r"'([^']*)'", detail.get("ctx", {}).get("expected", ""))
    near = suggestion(str(detail["input"]), choices)
    return f"{shown} is not one of {', '.join(choices)}{near}"


_WORDS: Mapping[str, _Words] = {
    "missing": lambda *_: "is missing",
    "greater_than": _bound("not above", "gt"),
    "greater_than_equal": _bound("below", "ge"),
    "less_than": _bound("not below", "lt"),
    "less_than_equal": _bound("above", "le"),
    "int_parsing": _not_a_whole_number,
    "int_parsing_size": _not_a_whole_number,
    "int_type": _not_a_whole_number,
    "int_from_float": _not_a_whole_number,
    "float_parsing": _not_a_number,
    "float_type": _not_a_number,
    "finite_number": _not_a_number,
    "bool_parsing": _not_a("true or false"),
    "bool_type": _not_a("true or false"),
    "enum": _not_one_of,
    "literal_error": _not_one_of,
    "string_type": _not_a("plain text"),
    "path_type": _not_a("a path"),
    "string_pattern_mismatch": _not_a("of the right form"),
    "tuple_type": _not_a("a list, like [one, two]"),
    "list_type": _not_a("a list, like [one, two]"),
    "frozen_set_type": _not_a("a list, like [one, two]"),
    "model_type": _not_a("a block of `key: value` lines"),
    "dict_type": _not_a("a block of `key: value` lines"),
    "mapping_type": _not_a("a block of `key: value` lines"),
    "date_from_datetime_parsing": _not_a("a date like 2026-01-31"),
    "date_from_datetime_inexact": _not_a("a date like 2026-01-31"),
    "date_parsing": _not_a("a date like 2026-01-31"),
    "date_type": _not_a("a date like 2026-01-31"),
}
