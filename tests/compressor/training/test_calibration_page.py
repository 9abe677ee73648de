from compressor.engine import Compressor
from compressor.training.calibrate import Labelled, Sample
from compressor.training.calibration_page import as_calibration, curve_table, source_table
from compressor.training.texts import Text
from tests.compressor.training.labelled_passages import TEXTS, knowing, passages


def made() -> tuple[Sample, Labelled]:
    texts = [Text("a|b" if n % 2 else "town", "", "", "", text) for n, text in enumerate(TEXTS)]
    with Compressor(knowing()) as compressor:
        return Sample(texts, compressor), Labelled(passages(), compressor)


def test_tables_say_what_is_kept_and_what_the_numbers_mean() -> None:
    sample, labelled = made()
    curve = [sample.point(threshold) for threshold in (0.2, 0.55)]
    table = curve_table(curve, {"mine": 0.55})
    assert "| 0.5500 | mine |" in table
    assert "| 0.2000 |  |" in table
    assert "no measure of answers" in table
    assert "heavy words" not in table
    longer = curve_table(curve, {"mine": 0.55}, labelled)
    assert "| heavy words | light words |" in longer
    assert "100.0% of " in longer
    assert "AUC of the classifier there: heavy 1.0000, light 1.0000 (64 words)" in longer
    sources = source_table({"mine": curve[1]}, sample)
    assert sources.splitlines()[0] == "| source | texts | mine |"
    assert sources.count("\n| ") == 3
    assert "| a\\|b | 2 |" in sources
    assert f"| all | 4 | {curve[1].rate:.1%} |" in sources


def test_a_calibration_holds_what_was_found_and_no_text() -> None:
    sample, _ = made()
    point = sample.point(0.55)
    found = as_calibration("abc", {"mine": point}, {"mine": 0.5}, [point], sample, seed=3)
    assert found.classifier == "abc"
    assert found.thresholds == {"mine": 0.55}
    assert found.found["found"]["mine"]["rate_wanted"] == 0.5
    assert found.found["found"]["mine"]["rate"] == round(point.rate, 4)
    assert found.found["sample"]["sources"] == {"a|b": 2, "town": 2}
    assert found.found["curve"] == [[0.55, round(point.rate, 4)]]
    assert "harbour" not in str(found)
