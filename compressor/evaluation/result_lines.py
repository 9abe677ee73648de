"""JSONL files: written whole, or by a line at a time so that being killed in one loses only it."""

import errno
import json
import os
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
    beside = _beside(path)
    with beside.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    beside.replace(path)


def require_writable(*paths: Path) -> None:
    """Raise OSError where one of these files cannot be written, before there is anything to write.

    Folders that are missing are made; files stay as they are.
    """
    for path in paths:
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in (path, _beside(path)):
            there = file.exists() or file.is_symlink()
            file.open("ab").close()
            if not there:
                file.unlink()


def _beside(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(path.name + ".new")
