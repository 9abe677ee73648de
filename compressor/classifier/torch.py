"""Runs any Hugging Face token-classification checkpoint with PyTorch. Needs the torch extra.

LLMLingua-2's two official families (XLM-R and multilingual BERT) are told apart by their own
tokenizer and configuration, never by the name of their folder.
"""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification, AutoTokenizer
from transformers.utils import cached_file

from compressor.classifier.base import (
    ClassifierUnavailable,
    Encoded,
    PlainTokenizer,
    batches_by_length,
    keep_probability,
)
from compressor.classifier.checkpoint import window_context
from compressor.windows import PLAN_REVISION, Window, plan_windows

# A file that is missing, unreadable, cut off, or of weights that do not fit its configuration.
_CANNOT_LOAD = (OSError, ValueError, RuntimeError, SafetensorError)
# On a GPU: 64 windows of 256 tokens in one call.
_BATCH_TOKENS = 16_384


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
        named = _from_pretrained(AutoTokenizer, name)
        backend = _fast_tokenizer(name, named)
        self._tokenizer = PlainTokenizer(backend)
        self._before = _special(backend, (named.cls_token, named.bos_token), name)
        self._after = _special(backend, (named.sep_token, named.eos_token), name)
        self.separator = self._after
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        model = _from_pretrained(AutoModelForTokenClassification, name)
        if model.config.num_labels != 2:
            raise ClassifierUnavailable(
                f"'{name}' has {model.config.num_labels} labels; a keep/drop classifier has 2"
            )
        if backend.get_vocab_size() > model.config.vocab_size:
            raise ClassifierUnavailable(
                f"the tokenizer of '{name}' has {backend.get_vocab_size()} tokens and its model "
                f"only knows {model.config.vocab_size}"
            )
        self._padding = model.config.pad_token_id or 0
        self.batch_tokens = _BATCH_TOKENS if self._device.type == "cuda" else 0
        self._model = model.float().eval().to(self._device)
        self._keep_label = _keep_label(model.config.id2label)
        self._context = window_context(model.config.to_dict(), f"'{name}'")
        self.revision = _revision(self._model, f"{self._context}/{backend.to_str()}")

    def encode(self, text: str) -> Encoded:
        """Return the text's tokens. The text of special tokens is plain text."""
        return self._tokenizer.encode(text)

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them, like `▁budget` or `##get`."""
        return self._tokenizer.pieces(encoded)

    def windows(self, encoded: Encoded) -> list[Window]:
        """Return the windows that cover the tokens."""
        return plan_windows(len(encoded.ids), encoded.ends, context=self._context)

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        """Return the keep probabilities of a window's used tokens: float32, (used tokens,)."""
        return self._run([(encoded, window)])[0]

    def keep_probabilities_of(
        self, asked: Sequence[tuple[Encoded, Window]]
    ) -> list[NDArray[np.float32]]:
        """Return what `keep_probabilities` returns, for several windows of any texts. In order."""
        lengths = [window.tokens + 2 for _, window in asked]
        found: dict[int, NDArray[np.float32]] = {}
        for batch in batches_by_length(lengths, self.batch_tokens or _BATCH_TOKENS):
            found.update(zip(batch, self._run([asked[i] for i in batch]), strict=True))
        return [found[i] for i in range(len(asked))]

    def _run(self, batch: Sequence[tuple[Encoded, Window]]) -> list[NDArray[np.float32]]:
        """Run windows in one call, the shorter ones padded and masked."""
        longest = max(window.tokens for _, window in batch) + 2
        ids = np.full((len(batch), longest), self._padding, np.int64)
        mask = np.zeros_like(ids)
        for row, (encoded, window) in enumerate(batch):
            fed = encoded.ids[window.fed_start : window.fed_end]
            ids[row, : len(fed) + 2] = [self._before, *fed, self._after]
            mask[row, : len(fed) + 2] = 1
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.from_numpy(ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
            ).logits
        of_keep = keep_probability(logits.float().cpu().numpy(), self._keep_label)
        return [
            of_keep[row, w.used_start - w.fed_start + 1 : w.used_end - w.fed_start + 1]
            for row, (_, w) in enumerate(batch)
        ]


def _from_pretrained(kind: Any, name: str) -> Any:  # noqa: ANN401 - untyped in transformers
    """Load from disk or the local hub cache, else from the hub. No code of the checkpoint runs."""
    try:
        return kind.from_pretrained(name, local_files_only=True)
    except _CANNOT_LOAD as error:
        folder = Path(name).expanduser()
        if folder.is_dir():
            raise ClassifierUnavailable(
                f"cannot load a classifier from {name}: {_reason(folder, error)}"
            ) from error
    try:
        return kind.from_pretrained(name)
    except _CANNOT_LOAD as error:
        raise ClassifierUnavailable(
            f"'{name}' is neither a local folder nor to be had from the hub: {error}"
        ) from error


def _reason(folder: Path, error: Exception) -> str:
    """Return why loading failed; transformers says a SentencePiece file was no tiktoken file."""
    only_pieces = any(folder.glob("*.model")) and not (folder / "tokenizer.json").exists()
    if only_pieces and find_spec("sentencepiece") is None:
        return "its tokenizer is a SentencePiece file; pip install sentencepiece protobuf"
    return str(error)


def _fast_tokenizer(name: str, loaded: Any) -> Tokenizer:  # noqa: ANN401 - untyped there
    """Return the checkpoint's tokenizer.json as it is written, else what transformers converted.

    As written, because transformers 5 rebuilds it from the vocabulary alone and loses what else it
    says; where there is only a vocabulary (vocab.txt, sentencepiece.bpe.model), its conversion.
    """
    try:
        written = cached_file(name, "tokenizer.json", local_files_only=True)
    except OSError:
        written = None
    if written is not None:
        return Tokenizer.from_file(written)
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise ClassifierUnavailable(
            f"'{name}' has no fast tokenizer, which offsets into the text need, and transformers "
            "knows no conversion for it"
        )
    return Tokenizer.from_str(backend.to_str())


def _special(tokenizer: Tokenizer, names: Sequence[str | None], checkpoint: str) -> int:
    for token in names:
        index = None if token is None else tokenizer.token_to_id(token)
        if index is not None:
            return index
    raise ClassifierUnavailable(f"'{checkpoint}' names no special tokens for start and end")


def _keep_label(id2label: dict[int, str]) -> int:
    """Return the index of the keep label: the one called so, else 1 (LLMLingua-2's convention)."""
    named = [int(i) for i, label in id2label.items() if label.lower() in ("keep", "preserve")]
    return named[0] if named else 1


def _revision(model: torch.nn.Module, fed: str) -> str:
    """Return a short hash of the weights and of `fed`, what says how texts become windows."""
    digest = hashlib.sha256(f"{PLAN_REVISION}/{fed}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
