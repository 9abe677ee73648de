"""Where an encoder and its tokenizer come from: a local folder, or the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from transformers import AutoTokenizer

from compressor.classifier.base import ClassifierUnavailable

_WANTED = ["*.json", "*.safetensors", "*.model", "vocab.txt"]
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


class EncoderUnavailable(ClassifierUnavailable):
    """There is no such encoder; the message says where it was looked for."""


def encoder_folder(name: str) -> Path:
    """Return the folder of an encoder, fetched from the hub where it is no local folder.

    Raises EncoderUnavailable.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        try:
            folder = Path(snapshot_download(name, allow_patterns=_WANTED))
        except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
            raise EncoderUnavailable(
                f"'{name}' is neither a local folder nor to be had from the hub: {error}"
            ) from error
    if not (folder / "config.json").is_file():
        raise EncoderUnavailable(f"{folder} has no config.json, so it is no encoder's folder")
    return folder


def copy_tokenizer(encoder: Path, output: Path) -> None:
    """Write the encoder's tokenizer.json and tokenizer_config.json into `output`.

    As they are where both are there; else what transformers makes of the vocabulary. Raises
    EncoderUnavailable.
    """
    if all((encoder / name).is_file() for name in _TOKENIZER):
        for name in _TOKENIZER:
            (output / name).write_bytes((encoder / name).read_bytes())
        return
    try:
        tokenizer = AutoTokenizer.from_pretrained(encoder)
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(f"{encoder} has no tokenizer: {error}") from error
    tokenizer.save_pretrained(output)
    if not (output / "tokenizer.json").is_file():
        raise EncoderUnavailable(f"{encoder} has no fast tokenizer; offsets into texts need one")
