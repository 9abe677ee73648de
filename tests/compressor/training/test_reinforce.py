"""Tuning tiny random encoders towards words that answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

from safetensors.torch import load_file  # noqa: E402 - needs torch

from compressor.classifier.checkpoint import read_tokenizer  # noqa: E402 - needs torch
from compressor.classifier.torch import TorchClassifier  # noqa: E402 - needs torch
from compressor.evaluation.datasets import Document, Question  # noqa: E402
from compressor.training.examples import passage_of  # noqa: E402
from compressor.training.reinforce import (  # noqa: E402
    Text,
    Tuner,
    TuningProgress,
    advantages,
    at_rate,
)
from compressor.training.rewards import answer_survival  # noqa: E402
from compressor.training.self_training import text_probabilities  # noqa: E402
from compressor.training.settings import SettingsDiffer, TuningSettings  # noqa: E402
from compressor.training.validation import ranking  # noqa: E402
from compressor.windows import CONTEXT_TOKENS  # noqa: E402
from tests.compressor.tiny_checkpoints import write_checkpoint  # noqa: E402
from tests.compressor.training.annotated_texts import line  # noqa: E402

SETTINGS = TuningSettings(
    rate=0.15, epochs=8, batch=4, learning_rate=0.01, stay=0.2, train_embeddings=True
)


SHORT = replace(SETTINGS, epochs=2, save_steps=2)


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


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums come out the same to the last bit only where they are added in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
    assert {path.name for path in tmp_path.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("settings.json", "tuning.json"),
    }
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config["window_context"] == CONTEXT_TOKENS  # of which the classifier given said nothing


class Interrupted(Exception):
    pass


def interrupted_after(step: int, folder: Path, classifier: Path) -> None:
    def interrupt(progress: TuningProgress) -> None:
        if progress.step == step:
            raise Interrupted

    with pytest.raises(Interrupted):
        Tuner(classifier, folder, SHORT, answer_survival).tune(documents(12), interrupt)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("after", [1, 5])
def test_a_run_that_was_interrupted_ends_where_one_in_one_go_does(
    classifier: Path, tmp_path: Path, after: int
) -> None:
    whole = Tuner(classifier, tmp_path / "whole", SHORT, answer_survival).tune(documents(12))
    interrupted_after(after, tmp_path / "parts", classifier)
    resumed = Tuner(classifier, tmp_path / "parts", SHORT, answer_survival)
    steps: list[int] = []
    read: list[None] = []
    parts = resumed.tune(documents(12), lambda p: steps.append(p.step), lambda: read.append(None))
    assert steps == list(range(after // 2 * 2 + 1, 7))  # from the last one that was saved
    assert read == []  # what the classifier said at the start is not asked for again
    assert parts == whole
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_goes_on_with_the_same_settings_reward_and_texts_only(
    classifier: Path, tmp_path: Path
) -> None:
    interrupted_after(2, tmp_path, classifier)
    with pytest.raises(SettingsDiffer, match="holds a run with another rate; name another folder"):
        Tuner(classifier, tmp_path, replace(SHORT, rate=0.5), answer_survival)
    with pytest.raises(SettingsDiffer, match="holds a run with another reward"):
        Tuner(classifier, tmp_path, SHORT, lambda source, shortened, questions: 1.0)
    with pytest.raises(SettingsDiffer, match="a run on other texts or questions"):
        Tuner(classifier, tmp_path, SHORT, answer_survival).tune(documents(12, first=1))


def test_the_classifier_reads_each_text_once_before_the_first_step(
    classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuner = Tuner(classifier, tmp_path, SHORT, answer_survival)
    tuned: list[bool] = []  # for each reading, whether it is learned from
    log_odds = tuner._log_odds

    def counted(text: Text) -> torch.Tensor:
        tuned.append(torch.is_grad_enabled())
        return log_odds(text)

    monkeypatch.setattr(tuner, "_log_odds", counted)
    read: list[None] = []
    tuner.tune(documents(12), read=lambda: read.append(None))
    assert tuned == [False] * 12 + [True] * 24
    assert len(read) == 12


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
