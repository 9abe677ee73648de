"""Tuning tiny random encoders towards words that answer."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

from compressor.classifier.checkpoint import read_tokenizer  # noqa: E402 - needs torch
from compressor.classifier.torch import TorchClassifier  # noqa: E402 - needs torch
from compressor.evaluation.datasets import Document, Question  # noqa: E402
from compressor.training.examples import passage_of  # noqa: E402
from compressor.training.reinforce import (  # noqa: E402
    Text,
    Tuner,
    TuningSettings,
    advantages,
    at_rate,
)
from compressor.training.rewards import answer_survival  # noqa: E402
from compressor.training.self_training import text_probabilities  # noqa: E402
from compressor.training.validation import ranking  # noqa: E402
from tests.compressor.tiny_checkpoints import write_checkpoint  # noqa: E402
from tests.compressor.training.annotated_texts import line  # noqa: E402

SETTINGS = TuningSettings(
    rate=0.15, epochs=8, batch=4, learning_rate=0.01, stay=0.2, train_embeddings=True
)


def documents(count: int, first: int = 0) -> list[Document]:
    """Texts whose answers are the words with a capital."""
    made = []
    for number in range(first, first + count):
        text = line(number)["text"]
        asked = [Question("a", "Which month?", ("March",)), Question("b", "Do what?", ("See",))]
        made.append(Document(f"d{number}", text, tuple(asked)))
    return made


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint("xlm-roberta", tmp_path_factory.mktemp("classifier"))


def share_above(folder: Path) -> float:
    """Return the chance that a word that answers scores above one that does not."""
    classifier = TorchClassifier(str(folder))
    passages = [passage_of(line(number)) for number in range(500, 510)]
    return ranking(passages, lambda text: text_probabilities(classifier, text)).heavy


def test_what_is_rewarded_is_kept_more_often(classifier: Path, tmp_path: Path) -> None:
    tuner = Tuner(classifier, tmp_path, SETTINGS, answer_survival)
    rewards = tuner.tune(documents(40))
    assert len(rewards) == 80
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5])
    assert share_above(tmp_path) > 0.75 > share_above(classifier)
    written = json.loads((tmp_path / "tuning.json").read_text("utf-8"))
    assert written["rewards"][-1] == pytest.approx(rewards[-1], abs=1e-4)


def test_staying_is_what_a_high_price_for_leaving_does(classifier: Path, tmp_path: Path) -> None:
    text = documents(1)[0].text
    before = text_probabilities(TorchClassifier(str(classifier)), text)[1]
    moved = {}
    for stay in (0.0, 1000.0):
        settings = replace(SETTINGS, stay=stay, epochs=2)
        Tuner(classifier, tmp_path / str(stay), settings, answer_survival).tune(documents(8))
        after = text_probabilities(TorchClassifier(str(tmp_path / str(stay))), text)[1]
        moved[stay] = float(np.abs(np.argsort(after) - np.argsort(before)).mean())
    assert moved[1000.0] < moved[0.0]


def test_nothing_to_be_rewarded_for_is_refused(classifier: Path, tmp_path: Path) -> None:
    tuner = Tuner(classifier, tmp_path, SETTINGS, answer_survival)
    with pytest.raises(ValueError, match="no document has a question"):
        tuner.tune([Document("d", "text", ())])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_log_odds_are_moved_to_the_rate_and_keep_their_order(rate: float) -> None:
    log_odds = torch.linspace(-4, 9, 40)
    moved = at_rate(log_odds, rate)
    assert float(torch.sigmoid(moved).mean()) == pytest.approx(rate, abs=1e-3)
    assert torch.equal(moved.argsort(), log_odds.argsort())


def test_a_choice_is_compared_with_the_others() -> None:
    assert advantages(torch.tensor([1.0, 0.0, 0.0])).tolist() == pytest.approx([1, -0.5, -0.5])
    assert advantages(torch.tensor([0.3, 0.3])).tolist() == pytest.approx([0, 0])


def test_a_choice_is_put_together_as_the_source_has_it(classifier: Path) -> None:
    document = Document("d", "naïve-ish café, 東京 near the bridge", ())
    text = Text.of(document, read_tokenizer(classifier)[0])
    assert [document.text[w.start : w.end] for w in text.words][:2] == ["naïve-ish", "café"]
    kept = np.zeros(len(text.words), np.bool_)
    kept[[1, -1]] = True
    assert text.shortened(kept) == "café bridge"
    assert text.mean.sum(dim=1).tolist() == pytest.approx([1.0] * len(text.words))
