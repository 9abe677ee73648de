"""JSONL files that grow by a line at a time and survive being killed in the middle of one."""

from pathlib import Path
from typing import TextIO


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
