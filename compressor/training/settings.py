"""What a run of training or of tuning depends on beside its texts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = "settings.json"


class SettingsDiffer(ValueError):
    """The output folder holds a run with other settings; the message says which."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How to train. The learning rate is that of the uppermost layer, at its highest."""

    epochs: int = 3
    batch_tokens: int = 2048
    """Tokens a step, padding included."""
    learning_rate: float = 2e-4
    layer_decay: float = 0.95
    """A layer's learning rate, as a share of that of the layer above it."""
    weight_decay: float = 0.01
    warmup: float = 0.06
    """The share of the steps in which the learning rate rises; then it falls to 0 as a cosine."""
    half: float = 0.5
    """The target of a word that only the light grade keeps."""
    smoothing: float = 0.0
    """How far targets are drawn towards a half."""
    dropout: float = 0.1
    train_embeddings: bool = False
    layers: int = 0
    """How many of the encoder's layers the classifier has, the lowest ones; 0: as many as it."""
    frozen_layers: int = 0
    """How many layers stay as they are, from the lowest up; their backward pass is saved."""
    clip: float = 1.0
    """The largest norm of the gradients of a step."""
    patience: int = 2
    """Validations without a better AUC after which training stops."""
    last: bool = False
    """Write the last model, not the best by AUC: for labels that the held-out ones are not like."""
    validations_per_epoch: int = 1
    save_steps: int = 100
    """Steps after which a run that is interrupted can be taken up."""
    seed: int = 1
    bf16: bool = True


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How to tune by reward. `rate` is the share of words that the choices keep."""

    rate: float = 0.33
    epochs: int = 1
    samples: int = 8
    """Choices drawn for each text."""
    batch: int = 8
    """Texts a step."""
    learning_rate: float = 2e-5
    entropy: float = 0.01
    """What a nat of uncertainty a word is worth: keeps the policy from settling early."""
    stay: float = 0.1
    """What a nat of divergence a word from the probabilities at the start costs."""
    clip: float = 1.0
    """The largest norm of the gradients of a step."""
    train_embeddings: bool = False
    save_steps: int = 10
    """Steps after which a run that is interrupted can be taken up."""
    seed: int = 1


def claim(output: Path, run: Mapping[str, Any]) -> None:
    """Write down in `output` what its run depends on, as JSON has it.

    Raises SettingsDiffer where it holds another run.
    """
    wanted = dict(run)
    output.mkdir(parents=True, exist_ok=True)
    path = output / _FILE
    if path.exists():
        found = json.loads(path.read_text("utf-8"))
        differing = sorted(key for key in wanted | found if wanted.get(key) != found.get(key))
        if differing:
            raise SettingsDiffer(
                f"{output} holds a run with another {', '.join(differing)}; "
                "name another folder, or remove that one"
            )
    path.write_text(json.dumps(wanted, indent=2) + "\n", "utf-8")
