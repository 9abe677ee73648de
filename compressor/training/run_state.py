"""Where a run has got to, on disk, so that the same command goes on from there."""

from pathlib import Path
from typing import Any

import torch

STATE = "state.pt"


def save_state(output: Path, state: dict[str, Any], name: str = STATE) -> None:
    """Write a run's state whole: an interruption leaves the one before. Raises OSError."""
    part = output / (name + ".part")
    torch.save(state, part)
    part.replace(output / name)


def cut_curves(path: Path, step: int) -> None:
    """Leave of a CSV file of validations those up to a step: what comes after is done again.

    A line's first column is its step. Without one done the file goes, whatever run it is from.
    """
    if step == 0:
        path.unlink(missing_ok=True)
    elif path.exists():
        head, *rows = path.read_bytes().splitlines(keepends=True)
        done = [row for row in rows if int(row.partition(b",")[0]) <= step]
        path.write_bytes(b"".join([head, *done]))


def load_state(output: Path, name: str = STATE) -> dict[str, Any] | None:
    """Return the state of the run in a folder, None where there is none."""
    path = output / name
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state
