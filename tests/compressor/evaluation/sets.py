"""A made-up question set, small enough to check by hand."""

import json
from pathlib import Path

HARBOUR = (
    "The harbour committee met on Tuesday in the old town hall. It did not approve the budget of "
    "4,250 euros, because the auditor, Miriam Okafor, had not yet signed the report. The repairs "
    "of the northern pier will begin in April, and the lighthouse keeper, who has worked there "
    'for thirty years, will move to the new station at Greyholm. "We waited long enough", said '
    "the chair. The minutes are at https://harbour.example/minutes/17 for everybody to read.\n"
)
ORCHARD = (
    "In spring the orchard behind the school was planted with forty cherry trees. Nobody had "
    "counted the apple trees, but the gardener, Tomas Lindqvist, thought that there were about "
    "ninety of them. The fence was painted green by the pupils, and the gate was painted white "
    "by their teachers. Version 2.4.1 of the watering program never worked on rainy days.\n"
)
DOCUMENTS = [
    {"doc": "harbour", "text": HARBOUR},
    {"doc": "orchard", "text": ORCHARD},
]
QUESTIONS = [
    {"id": "q1", "doc": "harbour", "question": "Who had to sign?", "answers": ["Miriam Okafor"]},
    {"id": "q2", "doc": "harbour", "question": "When do repairs begin?", "answers": ["in April"]},
    {"id": "q3", "doc": "orchard", "question": "Who is the gardener?", "answers": ["Lindqvist"]},
    {"id": "q4", "doc": "orchard", "question": "What colour?", "answers": ["purple"]},
]
PASSAGES = [
    {"id": "p1", "question": "Where?", "answers": ["Greyholm"], "passages": [ORCHARD, HARBOUR]},
]


def write_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_sets(folder: Path) -> Path:
    """Write both sets as `folder/qa/*.jsonl` and return the folder."""
    write_lines(folder / "qa" / "village.jsonl", [*DOCUMENTS, *QUESTIONS])
    write_lines(folder / "qa" / "passages.jsonl", PASSAGES)
    return folder
