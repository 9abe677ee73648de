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


def load_state(output: Path, name: str = STATE) -> dict[str, Any] | None:
    """Return the state of the run in a folder, None where there is none."""
    path = output / name
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state
