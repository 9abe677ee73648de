"""Tiny random checkpoints of LLMLingua-2's two families, in folders whose names say nothing."""

from pathlib import Path

import numpy as np
import pytest

from compressor.classifier.base import Classifier, ClassifierUnavailable
from compressor.classifier.registry import load_classifier
from tests.compressor.tiny_checkpoints import CORPUS, SPECIAL, write_checkpoint

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
transformers = pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", params=sorted(SPECIAL))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checkpoint(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(family, tmp_path_factory.mktemp("renamed"))


def load(folder: Path) -> Classifier:
    return load_classifier(str(folder))


def test_probabilities_are_those_of_the_model_with_its_own_special_tokens(
    family: str, checkpoint: Path
) -> None:
    classifier = load(checkpoint)
    encoded = classifier.encode(CORPUS[0])
    [window] = classifier.windows(encoded)
    ours = classifier.keep_probabilities(encoded, window)

    names = SPECIAL[family]
    start, end = ("[CLS]", "[SEP]") if family == "bert" else ("<s>", "</s>")
    ids = [names.index(start), *encoded.ids.tolist(), names.index(end)]
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        theirs = model(input_ids=torch.tensor([ids])).logits[0, 1:-1].softmax(-1)[:, 1]
    assert ours == pytest.approx(theirs.numpy(), abs=1e-6)


def test_the_text_of_special_tokens_is_plain_text(family: str, checkpoint: Path) -> None:
    text = f"before {SPECIAL[family][0]} {SPECIAL[family][2]} after"
    encoded = load(checkpoint).encode(text)
    control = {i for i, name in enumerate(SPECIAL[family]) if "unk" not in name.lower()}
    assert not set(encoded.ids.tolist()) & control


def test_offsets_are_characters_of_the_text(checkpoint: Path) -> None:
    encoded = load(checkpoint).encode("The café did not")
    assert encoded.offsets[-1, 1] == len("The café did not")
    assert (np.diff(encoded.offsets[:, 0]) >= 0).all()


def test_a_long_text_takes_several_windows(checkpoint: Path) -> None:
    classifier = load(checkpoint)
    encoded = classifier.encode(" ".join(CORPUS * 20))
    windows = classifier.windows(encoded)
    outputs = [classifier.keep_probabilities(encoded, w) for w in windows]
    assert len(windows) > 1
    assert sum(map(len, outputs)) == len(encoded.ids)


def test_the_revision_follows_the_weights(checkpoint: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint)
    with torch.no_grad():
        model.classifier.bias[0] += 1
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    assert load(tmp_path).revision != load(checkpoint).revision == load(checkpoint).revision


def test_a_checkpoint_of_another_task_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        checkpoint, num_labels=5, ignore_mismatched_sizes=True
    )
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    with pytest.raises(ClassifierUnavailable, match="5 labels"):
        load(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassifierUnavailable, match="cannot load"):
        load(tmp_path)
