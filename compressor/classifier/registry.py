"""Finds and loads a classifier by name: a bundled one, a folder, or a hub name."""

from importlib import resources
from pathlib import Path

from compressor.classifier.base import Classifier, ClassifierUnavailable

BUNDLED = "bundled"
BUNDLED_FAST = "bundled-fast"
# Where each is, from the folder of the first on; the second's tokenizer and embeddings are the
# first's as well.
_BUNDLED = {BUNDLED: ".", BUNDLED_FAST: "fast"}
# In order of preference where a folder holds several exports.
_ONNX_NAMES = ("model.onnx", "model.q8.onnx", "onnx/model.onnx", "model.int8.onnx")


def load_classifier(
    name: str = BUNDLED, *, backend: str = "auto", device: str | None = None
) -> Classifier:
    """Load a classifier.

    `name` is `bundled`, `bundled-fast`, a folder in the Hugging Face layout, or a hub name;
    `backend` is `onnx`, `torch`, or `auto`, which takes ONNX where the folder has it. `device` is
    PyTorch's, like `cuda:1`; None is the GPU where there is one, and ONNX runs on the CPU in any
    case. Raises ClassifierUnavailable with a message that says what is missing and how to get it.
    """
    if backend not in ("auto", "onnx", "torch"):
        raise ClassifierUnavailable(f"backend '{backend}' is not one of auto, onnx, torch")
    folder = folder_of(name)
    model = find_onnx(folder)
    if backend != "torch" and model is not None:
        # Here and below: a runtime takes long to import, and one of them may not be installed.
        from compressor.classifier.onnx import OnnxClassifier  # noqa: PLC0415

        return OnnxClassifier(folder, model)
    if name.startswith(("/", "./", "../", "~")) and not folder.is_dir():
        raise ClassifierUnavailable(f"there is no folder {folder}")
    if name in _BUNDLED or backend == "onnx":
        raise ClassifierUnavailable(_without_onnx(name, folder))
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ClassifierUnavailable(
            f"{folder} holds neither an .onnx file nor a checkpoint with a config.json"
        )
    try:
        from compressor.classifier.torch import TorchClassifier  # noqa: PLC0415
    except ImportError as error:
        raise ClassifierUnavailable(
            f"classifier '{name}' needs PyTorch and transformers ({error}); "
            "install them with: pip install 'tersely[torch]'"
        ) from error
    return TorchClassifier(name, device)


def folder_of(name: str) -> Path:
    """Return the folder of a classifier: of a bundled one, or what the name itself would be."""
    return bundled_folder(name) if name in _BUNDLED else Path(name).expanduser()


def bundled_folder(name: str = BUNDLED) -> Path:
    """Return the folder of a classifier that ships with the package."""
    return Path(str(resources.files("compressor.models"))) / _BUNDLED[name]


def find_onnx(folder: Path) -> Path | None:
    """Return the ONNX export in a folder, or None."""
    for name in _ONNX_NAMES:
        if (folder / name).is_file():
            return folder / name
    return next(iter(sorted(folder.glob("*.onnx"))), None) if folder.is_dir() else None


def _without_onnx(name: str, folder: Path) -> str:
    if name in _BUNDLED:
        return (
            f"the classifier '{name}' is missing from {folder}; "
            "reinstall with: pip install --force-reinstall tersely"
        )
    if not folder.is_dir():
        return f"there is no folder {folder}, and backend `onnx` loads from folders only"
    return f"{folder} holds no .onnx file; export one, or set backend to `torch`"
