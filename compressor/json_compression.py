"""JSON objects shortened by settings for each key, like LLMLingua's compress_json.

Only the contents of long strings change. Keys, numbers, booleans, nulls, the order and nesting of
everything, and strings of a few words (names, ids, dates) stay, so what comes out is the same
object with shorter texts, and valid JSON. Source: process_structured_json_data in
llmlingua/utils.py, which rewrites the object as text and parses what is left of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from compressor.contexts import (
    ContextClassifier,
    ContextFilter,
    ReadText,
    fit_together,
    read_texts,
    surviving,
)
from compressor.extract import extract
from compressor.types import Settings, Span, TokenCounter
from compressor.words import is_unspaced

# Strings of fewer words than this are names, titles, ids, dates; nothing is to be gained in them.
LONG_STRING_WORDS = 5
# The same for scripts without spaces, whose words can be of one character.
LONG_STRING_CHARACTERS = 12
# Arrays and objects inside each other; Python's own limit for JSON is about a thousand calls.
MOST_LEVELS = 200

_VALUE_TYPES = frozenset(
    {"str", "string", "int", "integer", "float", "number", "bool", "boolean"}
    | {"list", "dict", "dictionary", "tuple"}
)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class KeySettings:
    """What may happen to one key's value.

    `rate` is what is kept of each long string in it; None is the global amount. With `compress`
    False it stays as it is. `pair_remove` lets a filter of pairs drop key and value. `value_type`
    is LLMLingua's, and only checked for being one: the value's own type decides.
    """

    rate: float | None = None
    compress: bool = True
    pair_remove: bool = False
    value_type: str | None = None

    @classmethod
    def read(cls, key: str, written: object) -> "KeySettings":
        """Read one entry of LLMLingua's json_config. Raises ValueError that names the key."""
        if not isinstance(written, Mapping):
            raise ValueError(
                f"json_config['{key}'] is {written!r}; it is an object of rate, compress, "
                "pair_remove and value_type, all of which may be left out"
            )
        known = [field.name for field in fields(cls)]
        for name in written:
            if name not in known:
                raise ValueError(f"json_config['{key}']: '{name}' is none of {', '.join(known)}")
        rate, value_type = written.get("rate"), written.get("value_type")
        if rate is not None:
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
                raise ValueError(
                    f"json_config['{key}']: rate is {rate!r}; it is a share kept, above 0 and at "
                    "most 1"
                )
            rate = float(rate)
        for name in ("compress", "pair_remove"):
            if not isinstance(written.get(name, True), bool):
                raise ValueError(f"json_config['{key}']: {name} is {written[name]!r}, no boolean")
        if value_type is not None and str(value_type).lower() not in _VALUE_TYPES:
            raise ValueError(
                f"json_config['{key}']: value_type is {value_type!r}; it is one of "
                + ", ".join(sorted(_VALUE_TYPES))
            )
        return cls(
            rate=rate,
            compress=bool(written.get("compress", True)),
            pair_remove=bool(written.get("pair_remove", False)),
            value_type=None if value_type is None else str(value_type),
        )


@dataclass(frozen=True, slots=True)
class CompressedJson:
    """The object that came out, the keys that were removed, and its tokens as JSON text."""

    data: dict[str, Any]
    removed: tuple[str, ...]
    tokens_before: int
    tokens_after: int
    budget_unmet: bool

    @property
    def text(self) -> str:
        """The object as JSON."""
        return json_text(self.data)


def compress_json(
    compressor: ContextClassifier,
    data: Mapping[str, Any],
    keys: Mapping[str, KeySettings],
    settings: Settings,
    *,
    pair_filter: ContextFilter | None = None,
    fine: bool = True,
) -> CompressedJson:
    """Shorten the long strings of an object's values; keys without KeySettings stay as they are.

    `settings` decide where a key has no rate of its own: each string by itself with `rate` or
    `threshold`, all of them together with `target_tokens`, a cap on the whole object's JSON.
    `pair_filter` chooses among the pairs with `pair_remove` (indices are those of `data`); all
    others stay. Without `fine` no words are cut. Raises TypeError and ValueError for what is no
    JSON, and what the classifier raises.
    """
    if not isinstance(data, Mapping):
        raise TypeError(
            f"the data is a {type(data).__name__}, no object: parse a text with json.loads, and "
            "put a list under a key"
        )
    _require_levels(data)
    settings = compressor.resolved(settings)
    counter = compressor.counter(settings.encoding)
    before = counter.count(json_text(data))
    kept = _surviving_keys(compressor, data, keys, settings, pair_filter)
    whole = {key: value for key, value in data.items() if key in kept}
    places = [
        (path, keys[key].rate, text)
        for key, value in whole.items()
        if fine and key in keys and keys[key].compress
        for path, text in _strings(value, (key,))
    ]
    read = read_texts(compressor, [text for _, _, text in places], settings)
    leaves = [
        _Leaf(path, rate, text)
        for (path, rate, _), text in zip(places, read, strict=True)
        if _is_long(text)
    ]
    changed = _cut(whole, leaves, settings, counter)
    after = counter.count(json_text(changed))
    cap = settings.target_tokens
    return CompressedJson(
        data=changed,
        removed=tuple(key for key in data if key not in kept),
        tokens_before=before,
        tokens_after=after,
        budget_unmet=cap is not None and after > cap,
    )


def json_text(data: Mapping[str, Any]) -> str:
    """Return an object as JSON. Raises TypeError and ValueError for what JSON does not have."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _require_levels(data: Mapping[str, Any]) -> None:
    level: list[object] = [data]
    for _ in range(MOST_LEVELS + 1):
        level = [member for value in level for member in _members(value)]
        if not level:
            return
    raise ValueError(f"the data is nested deeper than {MOST_LEVELS} levels")


def _members(value: object) -> Iterable[object]:
    """Return what an array or object holds of arrays and objects."""
    match value:
        case Mapping():
            held: Iterable[object] = value.values()
        case list() | tuple():
            held = value
        case _:
            return ()
    return [member for member in held if isinstance(member, Mapping | list | tuple)]


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: Path
    rate: float | None
    read: ReadText

    def cut_to(self, kept: Sequence[Span]) -> str:
        return "".join(self.read.text[s.start : s.end] for s in kept)


def _surviving_keys(
    compressor: ContextClassifier,
    data: Mapping[str, Any],
    keys: Mapping[str, KeySettings],
    settings: Settings,
    pair_filter: ContextFilter | None,
) -> set[str]:
    if pair_filter is None or pair_filter.is_open or not data:
        return set(data)
    names = list(data)
    fixed = {i for i, key in enumerate(names) if key not in keys or not keys[key].pair_remove}
    pairs = [json_text({key: value})[1:-1] for key, value in data.items()]
    read = read_texts(compressor, pairs, settings)
    wanted = replace(pair_filter, force=pair_filter.force | fixed)
    counter = compressor.counter(settings.encoding)
    return {names[i] for i in surviving(read, [r.score for r in read], wanted, counter)}


def _strings(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case Mapping():
            for key, member in value.items():
                yield from _strings(member, (*path, key))
        case list() | tuple():
            for index, member in enumerate(value):
                yield from _strings(member, (*path, index))


def _is_long(read: ReadText) -> bool:
    """Whether a string is prose. Many marks without a space are an id of some kind."""
    unspaced = [word for word in read.words if is_unspaced(read.text[word.start])]
    characters = sum(word.end - word.start for word in unspaced)
    return len(read.text.split()) >= LONG_STRING_WORDS or (
        len(unspaced) >= LONG_STRING_WORDS and characters >= LONG_STRING_CHARACTERS
    )


def _cut(
    data: dict[str, Any], leaves: Sequence[_Leaf], settings: Settings, counter: TokenCounter
) -> dict[str, Any]:
    texts: dict[Path, str] = {}
    for leaf in leaves:
        if leaf.rate is not None or settings.target_tokens is None:
            own = settings
            if leaf.rate is not None:
                own = replace(settings, rate=leaf.rate, threshold=None, target_tokens=None)
            read = leaf.read
            result = extract(
                read.text, read.words, read.probabilities, own, counter, log_odds=read.log_odds
            )
            texts[leaf.path] = result.text
    shared = [leaf for leaf in leaves if leaf.path not in texts]

    def filled(kept: Sequence[tuple[Span, ...]]) -> dict[str, Any]:
        cut = {leaf.path: leaf.cut_to(own) for leaf, own in zip(shared, kept, strict=True)}
        return {key: _with(value, (key,), texts | cut) for key, value in data.items()}

    kept = fit_together(
        [leaf.read for leaf in shared], lambda own: json_text(filled(own)), settings, counter
    )
    return filled(kept)


def _with(value: Any, path: Path, texts: Mapping[Path, str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a value with the strings at these paths replaced."""
    match value:
        case str():
            return texts.get(path, value)
        case Mapping():
            return {key: _with(member, (*path, key), texts) for key, member in value.items()}
        case list() | tuple():
            return [_with(member, (*path, index), texts) for index, member in enumerate(value)]
    return value
