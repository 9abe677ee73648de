"""A passage on its way to the classifier: its text, where it comes from, and its shortened forms.

One line of JSON each: `id`, `source` (domain), `doc` (the document it was cut from), `lang`,
`licence`, `text`; once labelled also `light` and `heavy`, or `shortened` where there is one grade,
and `flags` where the labelling found something wrong with one of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compressor.evaluation.datasets import DatasetError, read_json_lines, text_field, texts_field

LIGHT, HEAVY, SINGLE = "light", "heavy", "shortened"
GRADES = (LIGHT, HEAVY, SINGLE)


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A text, where it comes from, and what a teacher made of it, by grade.

    `flags` say what is wrong with that, each with its grade before it: `light: nothing was left.`
    """

    id: str
    source: str
    doc: str
    lang: str
    licence: str
    text: str
    shortened: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the passage's line."""
        flags = {"flags": list(self.flags)} if self.flags else {}
        return {
            "id": self.id,
            "source": self.source,
            "doc": self.doc,
            "lang": self.lang,
            "licence": self.licence,
            "text": self.text,
            **self.shortened,
            **flags,
        }


def read_passages(path: Path, *, labelled: bool = False) -> Iterator[SourcePassage]:
    """Yield the passages of a JSONL file; `labelled`: every one needs its shortened forms.

    What is not stated is empty; without a `doc` a passage is a document of its own, so that it
    cannot stand on both sides of a split. Raises DatasetError, for an id that is there twice and,
    at its end, for a file without a passage too.
    """
    seen: set[str] = set()
    for where, row in read_json_lines(path):
        passage = _passage(row, where, path.stem)
        if passage.id in seen:
            raise DatasetError(f"{where}: the id '{passage.id}' is there twice")
        seen.add(passage.id)
        if labelled:
            _check_grades(passage, where)
        yield passage
    if not seen:
        raise DatasetError(f"{path}: there is no passage in it")


def _passage(row: Mapping[str, Any], where: str, name: str) -> SourcePassage:
    identity = text_field(row, "id", where)
    return SourcePassage(
        id=identity,
        source=str(row.get("source") or row.get("domain") or name),
        doc=str(row.get("doc") or identity),
        lang=str(row.get("lang") or ""),
        licence=str(row.get("licence") or row.get("license") or ""),
        text=text_field(row, "text", where),
        shortened={grade: str(row[grade]) for grade in GRADES if row.get(grade) is not None},
        flags=texts_field(row, "flags", where) if row.get("flags") else (),
    )


def _check_grades(passage: SourcePassage, where: str) -> None:
    grades = set(passage.shortened)
    if grades not in ({LIGHT, HEAVY}, {SINGLE}):
        raise DatasetError(
            f"{where}: a labelled passage has `light` and `heavy`, or `shortened`; "
            f"this one has {', '.join(sorted(grades)) or 'none of them'}"
        )
