"""Where passages come from: text files, folders of them, and JSONL with fields of any name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.evaluation.datasets import DatasetError, read_json_lines

SUFFIXES = (".txt", ".md", ".rst", ".jsonl")
_MESSAGE = "content"


@dataclass(frozen=True, slots=True)
class Text:
    """One document, and what is known about it."""

    source: str
    doc: str
    lang: str
    licence: str
    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of JSONL fields; `a.b` is field b of the object in field a."""

    text: str = "text"
    doc: str = "doc"
    source: str = "source"
    lang: str = "lang"
    licence: str = "licence"

    @classmethod
    def parse(cls, named: Sequence[str]) -> "Fields":
        """Read `text=body` and the like; what is not named is called so.

        Raises DatasetError, for a name that is there twice too.
        """
        chosen = {}
        for pair in named:
            name, equals, field = pair.partition("=")
            if name not in cls.__slots__ or not equals or not field:
                known = ", ".join(cls.__slots__)
                raise DatasetError(f"'{pair}' is not NAME=FIELD with one of {known} as the name")
            if name in chosen:
                raise DatasetError(f"the field of '{name}' is named twice, in '{pair}' again")
            chosen[name] = field
        return cls(**chosen)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for documents that do not say it themselves."""

    source: str = ""
    lang: str = ""
    licence: str = ""


def find_files(paths: Sequence[Path], suffixes: Sequence[str] = SUFFIXES) -> list[tuple[Path, str]]:
    """Return the files named, and those of the folders named, each with what to call it.

    Folders are searched to their ends, in the order of names. Raises DatasetError.
    """
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file for file in path.rglob("*") if file.suffix in suffixes and file.is_file()
            )
            if not inside:
                raise DatasetError(f"{path}: there are no {', '.join(suffixes)} files in it")
            found += [(file, file.relative_to(path).as_posix()) for file in inside]
        else:
            found.append((path, path.name))
    return found


def read_texts(path: Path, name: str, fields: Fields, defaults: Defaults) -> Iterator[Text]:
    """Yield a file's documents: itself, or one a line of JSONL. Raises DatasetError."""
    source = defaults.source or Path(name).stem
    if path.suffix == ".jsonl":
        yield from _read_lines(path, name, fields, defaults, source)
        return
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: not UTF-8: byte {error.start} cannot be read") from None
    yield Text(source, name, defaults.lang, defaults.licence, text)


def _read_lines(
    path: Path, name: str, fields: Fields, defaults: Defaults, source: str
) -> Iterator[Text]:
    for number, (where, row) in enumerate(read_json_lines(path), 1):
        text = _text(_find(row, fields.text))
        if text is None:
            raise DatasetError(
                f"{where}: there is no text in '{fields.text}'; name its field, like text=body"
            )
        yield Text(
            source=_named(row, fields.source) or source,
            doc=_named(row, fields.doc) or f"{name}:{number}",
            lang=_named(row, fields.lang) or defaults.lang,
            licence=_named(row, fields.licence) or defaults.licence,
            # lone surrogates, which JSON can hold and UTF-8 cannot
            text=text.encode("utf-8", "replace").decode("utf-8"),
        )


def _find(row: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - whatever the file holds
    found: Any = row
    for step in field.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def _named(row: Mapping[str, Any], field: str) -> str:
    value = _find(row, field)
    return str(value) if isinstance(value, str | int) else ""


def _text(value: object) -> str | None:
    """Return a string, or the strings of a list of texts or chat messages as paragraphs."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    parts = [part.get(_MESSAGE) if isinstance(part, Mapping) else part for part in value]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n\n".join(texts) if texts else None
