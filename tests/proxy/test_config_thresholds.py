from pathlib import Path

import pytest

from compressor.calibration import Calibration, UnknownThreshold, fingerprint, write_calibration
from policies.types import Policy
from proxy.config import ConfigError, load
from proxy.config_thresholds import named_thresholds, threshold_complaints
from tests.proxy.config_files import LEAST

POLICIES = {
    "plain": Policy(name="plain", rate=0.5),
    "number": Policy(name="number", threshold=0.3),
    "mine": Policy(name="mine", threshold="harsh"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A classifier's folder, as far as its calibration goes."""
    (tmp_path / "model.onnx").write_text("weights")
    found = Calibration(fingerprint(tmp_path), {"harsh": 0.625})
    write_calibration(tmp_path, found)
    return tmp_path


def test_names_are_looked_up_in_the_classifiers_folder(folder: Path) -> None:
    assert named_thresholds(str(folder), POLICIES).number("harsh") == 0.625
    assert list(threshold_complaints(str(folder), POLICIES)) == []


def test_a_name_that_is_not_there_is_complained_about_at_its_policy() -> None:
    ((key, words),) = threshold_complaints("bundled", POLICIES)
    assert key == ("policies", "mine", "threshold")
    assert "no threshold called 'harsh'" in words
    with pytest.raises(UnknownThreshold, match="'harsh'"):
        named_thresholds("bundled", POLICIES)


def test_numbers_ask_for_no_calibration() -> None:
    without = {name: POLICIES[name] for name in ("plain", "number")}
    assert list(threshold_complaints("someone/on-the-hub", without)) == []
    named_thresholds("someone/on-the-hub", without)


def test_a_config_with_names_loads_where_the_classifier_has_them(folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(
        f"{LEAST}policies:\n  mine: {{threshold: harsh}}\ncompressor: {{classifier: {folder}}}\n"
    )
    assert load(path, {}).policies["mine"].threshold == "harsh"
    (folder / "model.onnx").write_text("other weights")
    with pytest.raises(ConfigError, match=r"policies\.mine\.threshold: .* for another classifier"):
        load(path, {})
