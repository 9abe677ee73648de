"""Runs any Hugging Face token-classification checkpoint with PyTorch. Needs the torch extra.

LLMLingua-2's two official families (XLM-R and multilingual BERT) are told apart by their own
tokenizer and configuration, never by the name of their folder.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForTokenClassification, AutoTokenizer

from compressor.classifier.base import (
    ClassifierUnavailable,
    Encoded,
    PlainTokenizer,
    keep_probability,
)
from compressor.windows import CONTEXT_TOKENS, WINDOW_TOKENS, Window, plan_windows


class TorchClassifier:
    """A token classifier in PyTorch form, fp32, on the GPU where there is one."""

    def __init__(self, name: str, device: str | None = None) -> None:
        """Load a local folder or a hub name, the local copy first. Raises ClassifierUnavailable.

        `device` is PyTorch's name of one; None is the GPU where there is one.
        """
        if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
            raise ClassifierUnavailable(
                f"PyTorch finds no GPU for device '{device}'; without a device it runs on the CPU"
            )
        tokenizer = _from_pretrained(AutoTokenizer, name)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ClassifierUnavailable(
                f"'{name}' has no fast tokenizer, which offsets into the text need; "
                "convert it once with transformers and save it beside the weights"
            )
        self._tokenizer = PlainTokenizer(backend)
        self._before = _first(tokenizer.cls_token_id, tokenizer.bos_token_id)
        self._after = _first(tokenizer.sep_token_id, tokenizer.eos_token_id)
        if self._before is None or self._after is None:
            raise ClassifierUnavailable(f"'{name}' names no special tokens for start and end")
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        model = _from_pretrained(AutoModelForTokenClassification, name)
        if model.config.num_labels != 2:
            raise ClassifierUnavailable(
                f"'{name}' has {model.config.num_labels} labels; a keep/drop classifier has 2"
            )
        self._model = model.float().eval().to(self._device)
        self._keep_label = _keep_label(model.config.id2label)
        self.revision = _revision(self._model, backend.to_str())

    def encode(self, text: str) -> Encoded:
        """Return the text's tokens. The text of special tokens is plain text."""
        return self._tokenizer.encode(text)

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them, like `▁budget` or `##get`."""
        return self._tokenizer.pieces(encoded)

    def windows(self, encoded: Encoded) -> list[Window]:
        """Return the windows that cover the tokens."""
        return plan_windows(len(encoded.ids))

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        """Return the keep probabilities of a window's used tokens: float32, (used tokens,)."""
        fed = encoded.ids[window.fed_start : window.fed_end].tolist()
        ids = torch.tensor([[self._before, *fed, self._after]], device=self._device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
        first = window.used_start - window.fed_start + 1
        used = logits[first : first + window.used_end - window.used_start]
        return keep_probability(used.float().cpu().numpy(), self._keep_label)


def _from_pretrained(kind: Any, name: str) -> Any:  # noqa: ANN401 - untyped in transformers
    """Load from disk or the local hub cache, else from the hub. No code of the checkpoint runs."""
    try:
        return kind.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError) as error:
        if Path(name).expanduser().is_dir():
            raise ClassifierUnavailable(f"cannot load a classifier from {name}: {error}") from error
    try:
        return kind.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise ClassifierUnavailable(
            f"'{name}' is neither a local folder nor to be had from the hub: {error}"
        ) from error


def _first(*candidates: int | None) -> int | None:
    return next((c for c in candidates if c is not None), None)


def _keep_label(id2label: dict[int, str]) -> int:
    """Return the index of the keep label: the one called so, else 1 (LLMLingua-2's convention)."""
    named = [int(i) for i, label in id2label.items() if label.lower() in ("keep", "preserve")]
    return named[0] if named else 1


def _revision(model: torch.nn.Module, tokenizer: str) -> str:
    digest = hashlib.sha256(f"{WINDOW_TOKENS}/{CONTEXT_TOKENS}/{tokenizer}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
