"""Question-answering sets from local files: documents, each with the questions asked of it.

Two layouts, both JSON lines. Documents `{"doc", "text"}` followed by questions `{"id", "doc",
"question", "answers"}`; or one question a line with its own passages, `{"id", "question",
"answers", "passages"}`, which become one document with a blank line between passages.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DatasetError(ValueError):
    """A data file that cannot be used; the message names the file, the line and the fault."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the answers that count as right."""

    id: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the questions that it answers."""

    id: str
    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class QASet:
    """A named set of documents."""

    name: str
    documents: tuple[Document, ...]

    @property
    def questions(self) -> int:
        """How many questions it has."""
        return sum(len(document.questions) for document in self.documents)

    def first(self, documents: int | None) -> "QASet":
        """Return the set cut to its first documents; None leaves it whole."""
        return self if documents is None else QASet(self.name, self.documents[:documents])


def find_qa_sets(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the `.jsonl` files of `folder/qa`, or of `folder` itself where there is no `qa`.

    `folder` may be one such file too. With `names`, exactly those, in that order and once each.
    Raises DatasetError for a missing folder or set.
    """
    home = folder / "qa" if (folder / "qa").is_dir() else folder
    files = [folder] if folder.is_file() else sorted(home.glob("*.jsonl"))
    found = {path.stem: path for path in files}
    if not found:
        if not folder.exists():
            raise DatasetError(f"{folder}: there is no such folder")
        raise DatasetError(f"{home}: no .jsonl files there; give the folder that has `qa/`")
    for name in names:
        if name not in found:
            raise DatasetError(f"{home}: there is no set '{name}'; there are {', '.join(found)}")
    return [found[name] for name in dict.fromkeys(names)] if names else list(found.values())


def read_qa_set(path: Path) -> QASet:
    """Read one set, named after its file.

    Raises DatasetError, also for an id that a second text or a second question of a text has:
    results are kept by their ids.
    """
    texts: dict[str, str] = {}
    asked: dict[str, list[Question]] = {}
    for where, row in read_json_lines(path):
        if "text" in row:
            document = text_field(row, "doc", where)
            _add_text(texts, document, text_field(row, "text", where), where)
            continue
        question = _question(row, where)
        if "passages" in row:
            document = question.id
            _add_text(texts, document, "\n\n".join(texts_field(row, "passages", where)), where)
        else:
            document = text_field(row, "doc", where)
            if document not in texts:
                raise DatasetError(f"{where}: asks about '{document}', which no line before it has")
        others = asked.setdefault(document, [])
        if any(question.id == other.id for other in others):
            raise DatasetError(
                f"{where}: `id` '{question.id}' is another question's of '{document}'"
            )
        others.append(question)
    documents = (Document(name, text, tuple(asked.get(name, ()))) for name, text in texts.items())
    return QASet(path.stem, tuple(documents))


def _add_text(texts: dict[str, str], document: str, text: str, where: str) -> None:
    if texts.setdefault(document, text) != text:
        raise DatasetError(f"{where}: '{document}' is another text's; every text needs its own")


def _question(row: Mapping[str, Any], where: str) -> Question:
    return Question(
        text_field(row, "id", where),
        text_field(row, "question", where),
        texts_field(row, "answers", where),
    )


def read_json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every line's object with `file:line` for messages. Raises DatasetError."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{path}:{number}"
                text = _utf8(line, where)
                if text.strip():
                    yield where, _object(text, where)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def read_text(path: Path) -> str:
    """Return what a text file holds, its lines ended by line feeds. Raises DatasetError."""
    try:
        return _utf8(path.read_bytes(), str(path)).replace("\r\n", "\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _utf8(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where}: not UTF-8: byte {error.start} cannot be read") from None


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise DatasetError(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise DatasetError(f"{where}: a JSON object is wanted, here is something else")
    return row


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what a JSON file holds. Raises DatasetError."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON: {error}") from None


def text_field(row: Mapping[str, Any], name: str, where: str) -> str:
    """Return a field that has to be a string or a number, as text. Raises DatasetError."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DatasetError(f"{where}: `{name}` is missing or is not text")
    return str(value)


def texts_field(row: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """Return a field that has to be a list of texts. Raises DatasetError."""
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DatasetError(f"{where}: `{name}` is missing or is not a list of texts")
    return tuple(value)
