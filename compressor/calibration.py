"""Thresholds with names: for one classifier, what keeps about so much of the texts of a sample.

A keep probability means another thing in every classifier, so a number that suits one says nothing
about the next. `calibration.json` beside a classifier's weights holds numbers that were found for
it (`tersely calibrate`), under names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

FILE = "calibration.json"
_FORMAT = 1


class UnknownThreshold(ValueError):
    """A name that stands for no threshold here; the message says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Named thresholds, the fingerprint of the classifier they hold for, and how they were found.

    `found` is for people: the sample, the rates that were wanted and those that came of it.
    """

    classifier: str
    thresholds: Mapping[str, float]
    found: Mapping[str, Any] = field(default_factory=dict)


def fingerprint(folder: Path) -> str:
    """Return a short hash of a classifier's weights, tokenizer and configuration.

    For ONNX the classifier's own `revision`. Raises UnknownThreshold where there are no weights.
    """
    # Here, because the tokenizer's library takes long to import and a number needs none of it.
    from compressor.classifier.checkpoint import onnx_files, revision_of  # noqa: PLC0415
    from compressor.classifier.registry import find_onnx  # noqa: PLC0415

    exported = find_onnx(folder)
    weights = onnx_files(exported) if exported else sorted(folder.glob("*.safetensors"))
    weights = weights or sorted(folder.glob("pytorch_model*.bin"))
    if not weights:
        raise UnknownThreshold(f"{folder} holds no classifier")
    beside = (folder / "tokenizer.json", folder / "config.json")
    return revision_of([*weights, *(path for path in beside if path.exists())])


def write_calibration(folder: Path, calibration: Calibration) -> Path:
    """Write calibration.json into a classifier's folder, and return where. Raises OSError."""
    path = folder / FILE
    content = {
        "format": _FORMAT,
        "classifier": calibration.classifier,
        "thresholds": dict(calibration.thresholds),
        **calibration.found,
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def read_calibration(folder: Path) -> Calibration:
    """Read a folder's calibration.json. Raises UnknownThreshold, also for another classifier's."""
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
        found = {name: float(number) for name, number in content.pop("thresholds").items()}
        made_for = str(content.pop("classifier"))
        usable = content.pop("format") == _FORMAT and all(0 <= n <= 1 for n in found.values())
    except FileNotFoundError:
        raise UnknownThreshold(
            f"the classifier in {folder} has no {FILE}; `tersely calibrate {folder} PROMPTS` "
            "writes one"
        ) from None
    except OSError as error:
        raise UnknownThreshold(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        usable = False
    if not usable:
        raise UnknownThreshold(f"{path} is not what `tersely calibrate` writes; run it again")
    if made_for != fingerprint(folder):
        raise UnknownThreshold(
            f"{path} was made for another classifier than the one beside it; run `tersely "
            "calibrate` again"
        )
    return Calibration(made_for, found, content)


class NamedThresholds:
    """One classifier's thresholds by name, read when the first name is looked up. Thread-safe.

    `classifier` is `bundled`, `bundled-fast` or a folder; `given` stands in for what the folder
    holds.
    """

    def __init__(self, classifier: str, given: Mapping[str, float] | None = None) -> None:
        self._classifier = classifier
        self._given = given

    def number(self, threshold: float | str) -> float:
        """Return what a name stands for, a number as it is. Raises UnknownThreshold."""
        if not isinstance(threshold, str):
            return threshold
        known = self._known
        if threshold not in known:
            raise UnknownThreshold(
                f"the classifier '{self._classifier}' has no threshold called "
                f"'{threshold[:60]}'; it has {', '.join(sorted(known)) or 'none'}"
            )
        return known[threshold]

    @cached_property
    def _known(self) -> Mapping[str, float]:
        if self._given is not None:
            return self._given
        from compressor.classifier.registry import folder_of  # noqa: PLC0415

        name = self._classifier
        folder = folder_of(name)
        if not folder.is_dir():
            raise UnknownThreshold(
                f"'{name}' is not a folder here, and thresholds have names only where `tersely "
                "calibrate` has written them into a classifier's folder"
            )
        return read_calibration(folder).thresholds
