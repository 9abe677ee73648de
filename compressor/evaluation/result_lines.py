"""JSONL files: written whole, or by a line at a time so that being killed in one loses only it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO


def open_to_append(path: Path) -> TextIO:
    """Open a file for further lines, on a line of its own even where the last one was cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8")
    if file.tell():
        with path.open("rb") as written:
            written.seek(-1, 2)
            torn = written.read(1) != b"\n"
        if torn:
            file.write("\n")
    return file


def write_lines(path: Path, lines: Sequence[Any]) -> None:
    """Write a JSONL file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    beside.replace(path)
