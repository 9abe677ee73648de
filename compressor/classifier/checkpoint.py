"""A classifier's folder in the Hugging Face layout: its configuration and its tokenizer."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from compressor.classifier.base import ClassifierUnavailable, PlainTokenizer
from compressor.windows import MOST_CONTEXT_TOKENS, PLAN_REVISION, PUBLISHED_CONTEXT_TOKENS

# In config.json: how many tokens before a window its classifier sees of a long text.
CONTEXT_KEY = "window_context"

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is needed to feed the classifier in a folder, beside its weights.

    `before` and `after` are the ids of the special tokens around every window, as in training;
    `context` is how many tokens before it each window of a long text sees.
    """

    tokenizer: PlainTokenizer
    before: int
    after: int
    keep_label: int
    context: int


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read config.json, tokenizer.json and tokenizer_config.json. Raises ClassifierUnavailable."""
    config = _read_json(folder / "config.json")
    tokenizer, (before, after) = read_tokenizer(folder)
    context = window_context(config, str(folder))
    return Checkpoint(tokenizer, before, after, _keep_label(config, folder), context)


def read_tokenizer(folder: Path) -> tuple[PlainTokenizer, tuple[int, int]]:
    """Return a folder's tokenizer and the ids of the special tokens around every window.

    Raises ClassifierUnavailable.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ClassifierUnavailable(
            f"{folder} has no tokenizer.json; save it with transformers' "
            "AutoTokenizer.from_pretrained(...).save_pretrained(folder)"
        )
    tokenizer = Tokenizer.from_file(str(path))
    names = _read_json(folder / "tokenizer_config.json")
    before = _special(tokenizer, names, ("cls_token", "bos_token"), folder)
    after = _special(tokenizer, names, ("sep_token", "eos_token"), folder)
    return PlainTokenizer(tokenizer), (before, after)


def window_context(config: Mapping[str, Any], name: str) -> int:
    """Return how many tokens before a window a checkpoint sees. Raises ClassifierUnavailable."""
    context = config.get(CONTEXT_KEY, PUBLISHED_CONTEXT_TOKENS)
    if type(context) is int and 0 <= context <= MOST_CONTEXT_TOKENS:
        return context
    raise ClassifierUnavailable(
        f"'{CONTEXT_KEY}' in the config.json of {name} is {json.dumps(context)}; it is a number of "
        f"tokens from 0 to {MOST_CONTEXT_TOKENS}"
    )


def onnx_files(model: Path) -> list[Path]:
    """Return an ONNX file and those that may hold weights of it, in its folder or one below."""
    folder = model.parent
    return [model, *sorted([*folder.glob("*.onnx_data"), *folder.glob("*/*.onnx_data")])]


def revision_of(files: Iterable[Path]) -> str:
    """Return a short hash of the files' contents and of how windows are cut."""
    digest = hashlib.sha256(PLAN_REVISION.encode())
    for path in files:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
    return digest.hexdigest()[:16]


def _keep_label(config: dict[str, Any], folder: Path) -> int:
    """Return the index of the keep label: the one called so, else 1 (LLMLingua-2's convention)."""
    labels = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if len(labels) != 2:
        raise ClassifierUnavailable(
            f"{folder} has {len(labels)} labels; a keep/drop token classifier has 2"
        )
    named = [int(i) for i, name in labels.items() if str(name).lower() in ("keep", "preserve")]
    return named[0] if named else 1


def _special(
    tokenizer: Tokenizer, names: dict[str, Any], roles: tuple[str, ...], folder: Path
) -> int:
    """Return the id of a special token by its role.

    By its own name and never by a fixed string: looking up [CLS] in a vocabulary that calls it <s>
    gives <unk>, which is how the reference implementation feeds XLM-R (LLMLingua issue 181).
    """
    for role in roles:
        name = names.get(role)
        if isinstance(name, dict):
            name = name.get("content")
        index = tokenizer.token_to_id(name) if isinstance(name, str) else None
        if index is not None:
            return index
    raise ClassifierUnavailable(
        f"{folder}/tokenizer_config.json names no {' or '.join(roles)} of tokenizer.json"
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ClassifierUnavailable(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ClassifierUnavailable(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ClassifierUnavailable(f"{path} is not a JSON object")
    return content
