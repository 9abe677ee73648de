"""A trained checkpoint to a complete folder that a compressor loads, checked against the original.

The checkpoint is a Hugging Face folder; the model folder has `model.onnx`, `config.json`, the
tokenizer and a card. Needs the packages onnx and safetensors (extra `export`); with PyTorch (extra
`torch`) the original that it is checked against runs there, else as ONNX in 32 bits.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compressor.classifier.base import Classifier
from compressor.classifier.checkpoint import read_checkpoint
from compressor.classifier.registry import load_classifier
from compressor.evaluation.datasets import read_json
from compressor.training.agreement import MAX_AUC_DIFFERENCE, MIN_KEPT_SHARE, agreement
from compressor.training.examples import Passage
from compressor.training.export import export
from compressor.training.isolation import isolation
from compressor.training.model_card import Checks, Facts, model_card
from compressor.training.throughput import throughput

WEIGHTS = "model.onnx"
CARD = "README.md"
_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")
TRAINING = "training.json"


@dataclass(frozen=True, slots=True)
class Allowed:
    """How far an exported model may be from its original."""

    auc_difference: float = MAX_AUC_DIFFERENCE
    kept: float = MIN_KEPT_SHARE


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks measured, and in words what is not as it has to be."""

    checks: Checks
    faults: list[str] = field(default_factory=list)


def write_model(folder: Path, output: Path, *, exact: bool = False) -> None:
    """Write the ONNX file, the configuration and the tokenizer of a checkpoint into `output`.

    Raises CannotExport, ClassifierUnavailable for a folder that no compressor could load, OSError.
    """
    read_checkpoint(folder)  # says what is missing, before anything is written
    output.mkdir(parents=True, exist_ok=True)
    export(folder, output / WEIGHTS, exact=exact)
    for name in _COPIED:
        shutil.copyfile(folder / name, output / name)


def check_model(
    folder: Path,
    output: Path,
    passages: Sequence[Passage],
    allowed: Allowed,
    advance: Callable[[], None] = lambda: None,
) -> Checked:
    """Compare what was written with its checkpoint on annotated passages, and time it.

    `advance` is called twice a passage. Raises ValueError where there is no passage.
    """
    exported = load_classifier(str(output.resolve()), backend="onnx")
    with original_form(folder) as original:
        agreed = agreement(original, exported, passages, advance)
    texts = [passage.text for passage in passages]
    alone = isolation(exported, texts)
    checks = Checks(agreed, alone, throughput(exported, texts))
    differences = agreed.faults(max_auc_difference=allowed.auc_difference, min_kept=allowed.kept)
    return Checked(checks, [*differences, *alone.faults()])


@contextmanager
def original_form(folder: Path) -> Iterator[Classifier]:
    """Load a checkpoint as it is, in 32 bits: by PyTorch where that is installed, else as ONNX."""
    if find_spec("torch") is not None and find_spec("transformers") is not None:
        yield load_classifier(str(folder.resolve()), backend="torch")
        return
    with tempfile.TemporaryDirectory() as temporary:
        write_model(folder, Path(temporary), exact=True)
        yield load_classifier(temporary, backend="onnx")


def write_card(
    folder: Path,
    output: Path,
    *,
    name: str,
    licence: str,
    manifests: Sequence[Path],
    checks: Checks,
    exact: bool = False,
) -> None:
    """Write the card of what stands in `output`. Raises DatasetError, OSError."""
    training: dict[str, Any] = {}
    if (folder / TRAINING).exists():
        training = read_json(folder / TRAINING)
    card = model_card(
        Facts(
            name=name,
            licence=licence,
            config=read_json(folder / "config.json"),
            weights_bytes=(output / WEIGHTS).stat().st_size,
            exact=exact,
            training=training,
            manifests=[read_json(path) for path in manifests],
            checks=checks,
        )
    )
    (output / CARD).write_text(card, "utf-8")
