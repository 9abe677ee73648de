"""ROUGE and BERTScore need their libraries, which are in the environment of `make test-all`."""

import json
from pathlib import Path

import pytest

from compressor.evaluation.extra import MissingExtra, load
from compressor.evaluation.scores import ScorerUnavailable, bert_scorer, rouge, rouge_mean
from tests.compressor.tiny_checkpoints import write_checkpoint


@pytest.mark.torch
def test_rouge_by_hand() -> None:
    # gold: the cat sat on the mat; predicted: the cat sat -> unigrams 3 of 3 and 3 of 6
    found = rouge("the cat sat", ["the cat sat on the mat", "dogs"])
    assert found["rouge1"] == pytest.approx(2 / 3)
    assert found["rouge2"] == pytest.approx(2 * (2 / 2) * (2 / 5) / (1 + 2 / 5))
    assert found["rougeL"] == pytest.approx(2 / 3)
    assert rouge("anything", []) == {"rouge1": 0, "rouge2": 0, "rougeL": 0}


@pytest.mark.torch
def test_rouge_of_unspaced_scripts_counts_segments() -> None:
    assert rouge("会议结束了", ["会议结束了。"])["rougeL"] == 1
    assert rouge("天气很好", ["会议结束了"])["rouge1"] < 0.5


def test_rouge_mean_is_geometric() -> None:
    assert rouge_mean({"rouge1": 0.8, "rouge2": 0.4, "rougeL": 0.2}) == pytest.approx(0.4)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")  # bert-score's own use of transformers
def test_bert_score_from_a_folder(tmp_path: Path) -> None:
    write_checkpoint("bert", tmp_path, spread=0.5)
    named = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**named, "model_max_length": 64}))
    source, other = "The committee met again", "about lower taxes"
    scorer = bert_scorer(str(tmp_path), 2)
    same, best, different = scorer([source] * 3, [[source], [other, source], [other]])
    assert [same, best] == pytest.approx([1, 1], abs=1e-3)
    assert different < same - 0.01


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", ["bert", "xlm-roberta"])
def test_bert_score_where_the_tokenizer_names_no_longest_text(tmp_path: Path, family: str) -> None:
    write_checkpoint(family, tmp_path, spread=0.5)
    assert "model_max_length" not in json.loads((tmp_path / "tokenizer_config.json").read_text())
    text = "The committee met again"
    found = bert_scorer(str(tmp_path), 2)([text, f"{text}. " * 400], [[text], [text]])
    assert found[0] == pytest.approx(1, abs=1e-3)
    assert 0 < found[1] < 1


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_the_bert_score_of_an_empty_answer_is_0(tmp_path: Path) -> None:
    write_checkpoint("bert", tmp_path, spread=0.5)
    text = "The committee met again"
    scorer = bert_scorer(str(tmp_path), 2)
    assert scorer(["", text, " \n"], [[text]] * 3) == pytest.approx([0, 1, 0], abs=1e-3)
    assert scorer([""], [[text]]) == [0]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_bert_score_cannot_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScorerUnavailable, match=r"no best layer of '.*': say how many to use"):
        bert_scorer(str(tmp_path))
    with pytest.raises(ScorerUnavailable, match=r"cannot load '.*' for BERTScore: "):
        bert_scorer(str(tmp_path), 2)


def test_a_missing_library_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtra, match=r"plots needs absent_library .*'tersely\[eval\]'"):
        load("absent_library.part", "plots")
