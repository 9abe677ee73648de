import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.classifier.base import Classifier, ClassifierUnavailable
from compressor.classifier.registry import bundled_folder, load_classifier

TEXT = (
    "The committee did not approve the budget of 4,250 euros because the auditor, Ms Okafor, had "
    "not yet signed the report. It will meet again on 14 March.\n"
) * 12


@pytest.fixture(scope="module")
def bundled() -> Classifier:
    return load_classifier()


@pytest.fixture(scope="module")
def fast() -> Classifier:
    return load_classifier("bundled-fast")


def probabilities(classifier: Classifier, text: str) -> np.ndarray:
    encoded = classifier.encode(text)
    outputs = [classifier.keep_probabilities(encoded, w) for w in classifier.windows(encoded)]
    return np.concatenate(outputs) if outputs else np.empty(0, np.float32)


def test_content_words_score_above_function_words(bundled: Classifier) -> None:
    encoded = bundled.encode(TEXT)
    scores: dict[str, list[float]] = {}
    for (start, end), p in zip(encoded.offsets, probabilities(bundled, TEXT), strict=True):
        scores.setdefault(TEXT[start:end].strip(), []).append(float(p))
    mean = {token: sum(ps) / len(ps) for token, ps in scores.items()}
    assert mean["March"] > 0.5 > max(mean["the"], mean["of"])
    assert mean["budget"] > 1.5 * max(mean["the"], mean["of"])


def test_one_probability_a_token(bundled: Classifier) -> None:
    assert len(bundled.windows(bundled.encode(TEXT))) > 1
    p = probabilities(bundled, TEXT)
    assert p.shape == bundled.encode(TEXT).ids.shape
    assert p.dtype == np.float32
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("name", ["bundled", "bundled-fast"])
def test_each_window_sees_as_much_before_it_as_in_training(name: str) -> None:
    classifier = load_classifier(name)
    windows = classifier.windows(classifier.encode(TEXT * 6))
    assert {w.used_start - w.fed_start for w in windows[1:]} == {16}


@pytest.mark.parametrize(("context", "seen"), [(None, 0), (40, 40)])
def test_a_checkpoint_says_how_much_its_windows_see(
    tmp_path: Path, context: int | None, seen: int
) -> None:
    folder = shutil.copytree(bundled_folder(), tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    del config["window_context"]
    config |= {} if context is None else {"window_context": context}
    (folder / "config.json").write_text(json.dumps(config))
    classifier = load_classifier(str(folder))
    windows = classifier.windows(classifier.encode(TEXT * 6))
    assert {w.used_start - w.fed_start for w in windows[1:]} == {seen}
    assert classifier.revision != load_classifier().revision


def test_threads_do_not_change_a_result(bundled: Classifier) -> None:
    alone = probabilities(bundled, TEXT)
    others = [f"{i} {TEXT[: 40 * i]}" for i in range(1, 8)]
    with ThreadPoolExecutor(4) as pool:
        noise = [pool.submit(probabilities, bundled, o) for o in others]
        again = [pool.submit(probabilities, bundled, TEXT) for _ in range(4)]
        assert all((a.result() == alone).all() for a in again)
        assert all(len(n.result()) for n in noise)


@pytest.mark.parametrize("literal", ["<s>", "</s>", "<pad>", "<unk>", "<mask>"])
def test_the_text_of_special_tokens_is_plain_text(bundled: Classifier, literal: str) -> None:
    text = f"before {literal} after"
    encoded = bundled.encode(text)
    assert not set(encoded.ids.tolist()) & {0, 1, 2}  # <s>, <pad>, </s>
    covered = "".join(text[a:b] for a, b in encoded.offsets)
    assert literal in covered


@settings(deadline=None, max_examples=80)
@given(st.text(st.characters(), max_size=80))
def test_offsets_ascend_within_any_text(bundled: Classifier, text: str) -> None:
    encoded = bundled.encode(text)
    assert (encoded.offsets >= 0).all()
    assert (encoded.offsets <= len(text)).all()
    assert (np.diff(encoded.offsets[:, 0]) >= 0).all()


def test_an_empty_text_has_no_windows(bundled: Classifier) -> None:
    encoded = bundled.encode("")
    assert encoded.offsets.shape == (0, 2)
    assert bundled.windows(encoded) == []


def test_a_copy_elsewhere_has_the_same_revision_and_a_changed_one_another(
    bundled: Classifier, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(bundled_folder(), tmp_path / "copy"))
    assert load_classifier(str(folder)).revision == bundled.revision
    config = folder / "config.json"
    config.write_text(config.read_text() + "\n")
    assert load_classifier(str(folder)).revision != bundled.revision


def test_a_copy_with_other_embeddings_beside_the_model_has_another_revision(
    bundled: Classifier, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(bundled_folder(), tmp_path / "copy"))
    (embeddings,) = folder.glob("*/*.onnx_data")
    changed = bytearray(embeddings.read_bytes())
    changed[0] ^= 1
    embeddings.write_bytes(changed)
    assert load_classifier(str(folder)).revision != bundled.revision


class TestBundledFast:
    """The smaller of the two that ship."""

    def test_it_has_the_tokens_of_the_other_and_a_third_of_its_layers(
        self, bundled: Classifier, fast: Classifier
    ) -> None:
        assert fast.encode(TEXT).ids.tolist() == bundled.encode(TEXT).ids.tolist()
        layers = [
            json.loads((bundled_folder(name) / "config.json").read_text())["num_hidden_layers"]
            for name in ("bundled", "bundled-fast")
        ]
        assert layers == [12, 4]
        assert fast.revision != bundled.revision

    def test_it_mostly_agrees_with_the_other(self, bundled: Classifier, fast: Classifier) -> None:
        found = [probabilities(classifier, TEXT) for classifier in (bundled, fast)]
        assert np.corrcoef(*found)[0, 1] > 0.8

    def test_two_copies_of_the_package_share_nothing_outside_it(self, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(bundled_folder("bundled-fast"), tmp_path / "copy"))
        assert load_classifier(str(folder)).encode("a b").ids.size


class TestUnavailable:
    """Each says what is missing and how to get it."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            shutil.copy(bundled_folder() / name, tmp_path / name)
        (tmp_path / "model.onnx").write_bytes(b"not a model")
        return tmp_path

    def load(self, folder: Path) -> str:
        with pytest.raises(ClassifierUnavailable) as caught:
            load_classifier(str(folder), backend="onnx")
        return str(caught.value)

    def test_a_broken_model(self, folder: Path) -> None:
        assert "cannot load" in self.load(folder)

    def test_no_model(self, folder: Path) -> None:
        (folder / "model.onnx").unlink()
        assert "holds no .onnx file" in self.load(folder)

    def test_no_folder(self, folder: Path) -> None:
        assert "there is no folder" in self.load(folder / "absent")

    def test_a_folder_of_something_else(self, tmp_path: Path) -> None:
        with pytest.raises(ClassifierUnavailable, match="holds neither"):
            load_classifier(str(tmp_path))

    def test_no_tokenizer(self, folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        assert "no tokenizer.json" in self.load(folder)

    def test_no_config(self, folder: Path) -> None:
        (folder / "config.json").unlink()
        assert "cannot read" in self.load(folder)

    def test_a_config_that_is_not_json(self, folder: Path) -> None:
        (folder / "config.json").write_text("{")
        assert "is not JSON" in self.load(folder)

    def test_a_config_of_another_task(self, folder: Path) -> None:
        (folder / "config.json").write_text('{"id2label": {"0": "a", "1": "b", "2": "c"}}')
        assert "3 labels" in self.load(folder)

    def test_no_special_tokens(self, folder: Path) -> None:
        (folder / "tokenizer_config.json").write_text("{}")
        assert "names no cls_token" in self.load(folder)

    def test_an_unknown_backend(self) -> None:
        with pytest.raises(ClassifierUnavailable, match="not one of auto, onnx, torch"):
            load_classifier(backend="tensorflow")
