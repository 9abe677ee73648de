"""Runs a classifier exported to ONNX on the CPU: one window a call, one thread a call."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from compressor.classifier.base import (
    ClassifierUnavailable,
    Encoded,
    keep_probability,
)
from compressor.classifier.checkpoint import onnx_files, read_checkpoint, revision_of
from compressor.windows import Window, plan_windows

_CANNOT_LOAD = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)


class OnnxClassifier:
    """A token classifier in ONNX form.

    One session serves every thread (sessions are thread-safe and share the weights) and uses a
    single thread a call, so calls run side by side on the cores. Never a batch: with dynamic
    quantization the scale of an activation is taken over the whole batch, and neighbours would
    change a text's result.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        """Load a model file and the tokenizer beside it. Raises ClassifierUnavailable."""
        self._checkpoint = read_checkpoint(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except _CANNOT_LOAD as error:
            raise ClassifierUnavailable(f"cannot load {model}: {error}") from error
        self.separator = self._checkpoint.after
        self._inputs = {value.name for value in self._session.get_inputs()}
        unknown = self._inputs - {"input_ids", "attention_mask", "token_type_ids"}
        if "input_ids" not in self._inputs or unknown:
            raise ClassifierUnavailable(
                f"{model} takes {sorted(self._inputs)}; a token classifier takes input_ids and "
                "attention_mask"
            )
        beside = (folder / "tokenizer.json", folder / "config.json")
        self.revision = revision_of((*onnx_files(model), *beside))

    def encode(self, text: str) -> Encoded:
        """Return the text's tokens. The text of special tokens is plain text."""
        return self._checkpoint.tokenizer.encode(text)

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them, like `▁budget` or `##get`."""
        return self._checkpoint.tokenizer.pieces(encoded)

    def windows(self, encoded: Encoded) -> list[Window]:
        """Return the windows that cover the tokens."""
        return plan_windows(len(encoded.ids), encoded.ends, context=self._checkpoint.context)

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        """Return the keep probabilities of a window's used tokens: float32, (used tokens,)."""
        ids = np.empty((1, window.tokens + 2), np.int64)
        ids[0, 0], ids[0, -1] = self._checkpoint.before, self._checkpoint.after
        ids[0, 1:-1] = encoded.ids[window.fed_start : window.fed_end]
        feeds = {"input_ids": ids}
        if "attention_mask" in self._inputs:
            feeds["attention_mask"] = np.ones_like(ids)
        if "token_type_ids" in self._inputs:
            feeds["token_type_ids"] = np.zeros_like(ids)
        logits = self._session.run(None, feeds)[0][0]
        used = slice(
            window.used_start - window.fed_start + 1, window.used_end - window.fed_start + 1
        )
        return keep_probability(logits[used], self._checkpoint.keep_label)
