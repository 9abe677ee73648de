import json
from pathlib import Path

import pytest

from compressor.calibration import (
    FILE,
    Calibration,
    NamedThresholds,
    UnknownThreshold,
    fingerprint,
    read_calibration,
    write_calibration,
)
from compressor.classifier.onnx import OnnxClassifier
from compressor.classifier.registry import bundled_folder, load_classifier
from compressor.engine import Compressor
from compressor.types import Settings
from tests.compressor.scripted_classifier import ScriptedClassifier

TEXT = "The harbour was closed on Monday because of a storm, said the mayor of the small town."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a fingerprint is taken of; nothing that could be loaded."""
    for name in ("model.onnx", "tokenizer.json", "config.json"):
        (tmp_path / name).write_text(name)
    return tmp_path


def calibrated(folder: Path, **thresholds: float) -> Path:
    write_calibration(folder, Calibration(fingerprint(folder), thresholds, {"curve": []}))
    return folder


def test_what_is_written_is_read(folder: Path) -> None:
    calibrated(folder, gentle=0.2, balanced=0.5)
    found = read_calibration(folder)
    assert found == Calibration(
        fingerprint(folder), {"gentle": 0.2, "balanced": 0.5}, {"curve": []}
    )
    thresholds = NamedThresholds(str(folder))
    assert thresholds.number("balanced") == 0.5
    assert thresholds.number(0.7) == 0.7


def test_an_unknown_name_says_which_there_are(folder: Path) -> None:
    calibrated(folder, gentle=0.2, balanced=0.5)
    with pytest.raises(UnknownThreshold, match="'gentel'; it has balanced, gentle"):
        NamedThresholds(str(folder)).number("gentel")


def test_a_folder_without_calibration_says_what_to_do(folder: Path) -> None:
    with pytest.raises(UnknownThreshold, match=f"tersely calibrate {folder} PROMPTS"):
        NamedThresholds(str(folder)).number("balanced")
    assert NamedThresholds(str(folder)).number(0.4) == 0.4  # which needs none


def test_a_name_on_the_hub_has_no_named_thresholds() -> None:
    with pytest.raises(UnknownThreshold, match="is not a folder here"):
        NamedThresholds("someone/some-classifier").number("balanced")


@pytest.mark.parametrize("changed", ["model.onnx", "tokenizer.json", "config.json"])
def test_another_classifiers_calibration_does_not_hold(folder: Path, changed: str) -> None:
    calibrated(folder, balanced=0.5)
    (folder / changed).write_text("another")
    with pytest.raises(UnknownThreshold, match="made for another classifier"):
        read_calibration(folder)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 1, "classifier": "x"}',
        '{"format": 2, "classifier": "x", "thresholds": {"balanced": 0.5}}',
        '{"format": 1, "classifier": "x", "thresholds": {"balanced": 1.5}}',
        '{"format": 1, "classifier": "x", "thresholds": {"balanced": "half"}}',
    ],
)
def test_what_is_no_calibration_is_refused(folder: Path, content: str) -> None:
    (folder / FILE).write_text(content)
    with pytest.raises(UnknownThreshold, match="run it again"):
        read_calibration(folder)


def test_a_calibration_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / FILE).mkdir()
    with pytest.raises(UnknownThreshold, match="cannot be read"):
        read_calibration(folder)


def test_pytorch_weights_have_a_fingerprint_too(folder: Path) -> None:
    exported = fingerprint(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(UnknownThreshold, match="holds no classifier"):
        fingerprint(folder)
    (folder / "model.safetensors").write_text("weights")
    assert fingerprint(folder) not in ("", exported)


@pytest.mark.parametrize("name", ["bundled", "bundled-fast"])
class TestBundled:
    def test_its_calibration_is_of_the_classifier_beside_it(self, name: str) -> None:
        """After another classifier is put there: `make calibration DATA=...`."""
        classifier = load_classifier(name)
        assert isinstance(classifier, OnnxClassifier)
        assert fingerprint(bundled_folder(name)) == classifier.revision
        assert read_calibration(bundled_folder(name)).classifier == classifier.revision

    def test_it_has_the_usual_names_in_their_order(self, name: str) -> None:
        found = read_calibration(bundled_folder(name)).thresholds
        assert found.keys() == {"gentle", "balanced", "aggressive"}
        assert 0 < found["gentle"] < found["balanced"] < found["aggressive"] < 1

    def test_it_names_no_file_of_the_machine_it_was_made_on(self, name: str) -> None:
        assert "/" not in json.dumps(json.loads((bundled_folder(name) / FILE).read_text("utf-8")))

    def test_its_thresholds_have_names_in_the_library(self, name: str) -> None:
        wanted = read_calibration(bundled_folder(name)).thresholds["balanced"]
        with Compressor(name=name) as compressor:
            assert compressor.resolved(Settings(threshold="balanced")).threshold == wanted


class TestCompressor:
    def test_a_name_is_the_number_that_it_stands_for(self) -> None:
        likely = {word: 0.9 for word in ("harbour", "closed", "Monday", "storm")}
        with Compressor(ScriptedClassifier(likely), thresholds={"mine": 0.6}) as compressor:
            by_name = compressor.compress(TEXT, threshold="mine")
            assert by_name == compressor.compress(TEXT, threshold=0.6)
            assert by_name.tokens_after < by_name.tokens_before
            settings = Settings(threshold="mine")
            assert compressor.resolved(settings) == Settings(threshold=0.6)
            plain = Settings(rate=0.5)
            assert compressor.resolved(plain) is plain

    def test_a_classifier_given_as_an_object_has_the_names_given_with_it_only(self) -> None:
        with (
            Compressor(ScriptedClassifier()) as compressor,
            pytest.raises(UnknownThreshold, match="it has none"),
        ):
            compressor.compress(TEXT, threshold="balanced")

    def test_the_bundled_ones_names_are_known(self) -> None:
        with Compressor() as compressor:
            kept = [
                compressor.compress(TEXT, threshold=name).tokens_after
                for name in ("gentle", "balanced", "aggressive")
            ]
        assert kept == sorted(kept, reverse=True)
        assert kept[0] > kept[-1]


@pytest.mark.parametrize("threshold", ["Balanced", "", "0.5", "a b", "-x"])
def test_settings_take_no_other_text_as_a_name(threshold: str) -> None:
    with pytest.raises(ValueError, match="a name of lower-case letters"):
        Settings(threshold=threshold)
