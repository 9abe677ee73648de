import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from compressor import engine
from compressor.classifier.base import ClassifierUnavailable, Encoded
from compressor.engine import Compressor, SettingsFields
from compressor.pool import Overloaded, PoolClosed
from compressor.types import CompressionResult, Settings
from compressor.windows import Window, plan_windows
from compressor.words import split_words

SENTENCE = (
    "the council met on Tuesday to discuss a plan for new roads because several members of the "
    "public had asked about repairs near an old bridge while others wanted lower taxes instead"
)


class HashClassifier:
    """One token a word, its probability a hash of the word and its neighbours in the window.

    `hold` keeps every window until `gate` is set; `windows_run` counts them.
    """

    revision = "hash"

    def __init__(self) -> None:
        self.gate = Event()
        self.gate.set()
        self.entered = Event()
        self.windows_run = 0
        self.texts = 0

    def encode(self, text: str) -> Encoded:
        self.texts += 1
        spans = [(word.start, word.end) for word in split_words(text)]
        ids = [sum(map(ord, text[start:end])) * 31 + end - start for start, end in spans]
        return Encoded(np.array(ids, np.int64), np.array(spans, np.int32).reshape(-1, 2))

    def windows(self, encoded: Encoded) -> list[Window]:
        return plan_windows(len(encoded.ids), size=16, context=3)

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        self.entered.set()
        assert self.gate.wait(5)
        self.windows_run += 1
        fed = encoded.ids[window.fed_start : window.fed_end]
        mixed = fed * 2654435761 + np.roll(fed, 1) * 40503 + np.roll(fed, -1) * 97
        used = slice(window.used_start - window.fed_start, window.used_end - window.fed_start)
        return ((mixed[used] % 1000) / 1000).astype(np.float32)


def prose(words: int, seed: int = 1) -> str:
    """Statements of ten random words, none of them to be mistaken for an instruction."""
    chance = random.Random(seed)
    chosen = [chance.choice(SENTENCE.split()) for _ in range(words)]
    for first in range(0, words, 10):
        chosen[first] = "They"
        last = min(first + 9, words - 1)
        chosen[last] = "taxes."
    return " ".join(chosen)


@pytest.fixture
def classifier() -> HashClassifier:
    return HashClassifier()


@pytest.fixture
def compressor(classifier: HashClassifier) -> Iterator[Compressor]:
    with Compressor(classifier, workers=2) as compressor:
        yield compressor


def test_a_text_gets_shorter_and_says_what_it_took(compressor: Compressor) -> None:
    text = prose(300)
    result = compressor.compress(text, rate=0.5)
    assert result.tokens_after < result.tokens_before
    assert len(result.text) < len(text)
    assert set(result.timings_ms) == {"tokenize", "read", "queue", "classify", "extract"}
    assert min(result.timings_ms.values()) >= 0


def test_settings_and_their_fields_mean_the_same(compressor: Compressor) -> None:
    text = prose(100)
    by_value = compressor.compress(text, Settings(threshold=0.4))
    assert compressor.compress(text, threshold=0.4) == by_value
    with pytest.raises(TypeError, match="not both"):
        compressor.compress(text, Settings(rate=0.5), rate=0.5)
    with pytest.raises(ValueError, match="exactly one"):
        compressor.compress(text)


def test_a_kind_that_is_none_is_named_before_it_switches_all_others_off() -> None:
    with pytest.raises(ValueError, match=r"protect has 'numbers', .* are code, forced, .*number"):
        Settings(rate=0.5, protect=frozenset({"numbers"}))  # type: ignore[arg-type]


def test_every_setting_can_be_given_by_name() -> None:
    names = {field.name for field in fields(Settings)}
    assert set(SettingsFields.__annotations__) == names


@pytest.mark.parametrize("text", ["", "  \n ", "\t"])
def test_a_text_without_words_needs_no_classifier(
    compressor: Compressor, classifier: HashClassifier, text: str
) -> None:
    result = compressor.compress(text, rate=0.5)
    assert result.text == text
    assert result.unchanged
    assert result.rate == 1
    assert classifier.texts == 0


@pytest.mark.parametrize("settings", [Settings(rate=0.5), Settings(target_tokens=9)])
def test_a_text_with_an_endless_word_stays_as_it_is(
    compressor: Compressor, classifier: HashClassifier, settings: Settings
) -> None:
    text = prose(40) + " " + "acgt" * 1500 + " " + prose(40)
    result = compressor.compress(text, settings)
    assert result.text == text
    assert "a word of over 5,000 letters" in (result.unchanged or "")
    assert result.budget_unmet == (settings.target_tokens is not None)
    assert classifier.texts == 0
    assert compressor.compress(text.replace("cgta", "cg ta"), settings).unchanged is None


@pytest.mark.parametrize("settings", [Settings(rate=1), Settings(target_tokens=1000)])
def test_what_stays_anyway_needs_no_classifier(
    compressor: Compressor, classifier: HashClassifier, settings: Settings
) -> None:
    text = prose(40)
    result = compressor.compress(text, settings)
    assert (result.text, result.tokens_after) == (text, result.tokens_before)
    assert result.unchanged
    assert "".join(text[span.start : span.end] for span in result.kept) == text
    assert classifier.texts == 0


def test_a_cap_below_the_text_is_kept(compressor: Compressor) -> None:
    assert compressor.compress(prose(200), target_tokens=60).tokens_after <= 60


def test_chunks_end_where_they_are_told_to(
    compressor: Compressor, classifier: HashClassifier
) -> None:
    text = prose(1200)
    chunks = compressor.compress(text, rate=0.5, chunk_end_tokens=("taxes.", "."), explain=True)
    assert classifier.windows_run == 3
    windows = compressor.compress(text, rate=0.5, explain=True)
    assert classifier.windows_run > 100
    assert [w.probability for w in chunks.words] != [w.probability for w in windows.words]


def test_the_first_token_can_stand_for_its_word(bundled: Compressor) -> None:
    text = "Antidisestablishmentarians reconsidered uncharacteristically many overgeneralisations. "
    mean = bundled.compress(text * 4, rate=0.6)
    first = bundled.compress(text * 4, rate=0.6, token_to_word="first")
    assert first.text != mean.text


@pytest.fixture
def bundled() -> Iterator[Compressor]:
    with Compressor() as compressor:
        yield compressor


def test_many_threads_at_once_give_the_same_bytes_as_one_alone(compressor: Compressor) -> None:
    texts = [prose(5 + 40 * seed, seed) for seed in range(12)]
    alone = [compressor.compress(text, rate=0.5) for text in texts]
    jobs = [(index, text) for index, text in enumerate(texts)] * 4
    random.Random(2).shuffle(jobs)
    with ThreadPoolExecutor(8) as threads:
        crowded = list(threads.map(lambda job: compressor.compress(job[1], rate=0.5), jobs))
    for (index, _), result in zip(jobs, crowded, strict=True):
        assert result == alone[index]


def test_a_replayed_conversation_repeats_every_earlier_message(compressor: Compressor) -> None:
    messages = [prose(20 + 7 * turn, turn) for turn in range(40)]
    sent: list[str] = []
    with ThreadPoolExecutor(4) as threads:
        for turn in range(1, 41):
            now = list(
                threads.map(lambda text: compressor.compress(text, rate=0.5).text, messages[:turn])
            )
            assert now[:-1] == sent
            sent = now
    assert sum(map(len, sent)) < sum(map(len, messages))


def test_two_compressors_agree(classifier: HashClassifier, compressor: Compressor) -> None:
    text = prose(500)
    with Compressor(HashClassifier(), workers=1) as other:
        assert other.compress(text, rate=0.4) == compressor.compress(text, rate=0.4)
        assert other.revision == compressor.revision


def test_the_revision_names_classifier_and_algorithm(
    compressor: Compressor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = compressor.revision
    monkeypatch.setattr(engine, "ALGORITHM_REVISION", "another")
    assert compressor.revision != before
    assert before.startswith("hash")


def test_more_than_the_queue_takes_is_refused(classifier: HashClassifier) -> None:
    with Compressor(classifier, workers=1, max_queued_tokens=100) as compressor:
        with pytest.raises(Overloaded):
            compressor.compress(prose(500), rate=0.5)
        assert compressor.compress(prose(30), rate=0.5).tokens_after


def test_a_text_far_beyond_the_queue_is_not_even_encoded(classifier: HashClassifier) -> None:
    with Compressor(classifier, workers=1, max_queued_tokens=100) as compressor:
        with pytest.raises(Overloaded, match="801 characters"):
            compressor.compress("a" * 801, rate=0.5)
        assert classifier.texts == 0


def test_cancelling_a_draft_drops_its_windows(classifier: HashClassifier) -> None:
    classifier.gate.clear()
    with Compressor(classifier, workers=1) as compressor:
        draft = compressor.begin(prose(200), Settings(rate=0.5))
        assert classifier.entered.wait(5)
        assert draft.pending is not None
        draft.pending.cancel()
        classifier.gate.set()
        compressor.compress("A short one.", rate=0.5)
        assert classifier.windows_run == 2


def test_close_ends_the_threads(classifier: HashClassifier) -> None:
    before = set(threading.enumerate())
    compressor = Compressor(classifier, workers=3)
    compressor.compress(prose(100), rate=0.5)
    assert set(threading.enumerate()) > before
    compressor.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(PoolClosed):
        compressor.compress(prose(100), rate=0.5)


def test_a_dropped_compressor_leaves_no_threads(classifier: HashClassifier) -> None:
    before = set(threading.enumerate())
    compressor = Compressor(classifier, workers=2)
    compressor.compress(prose(100), rate=0.5)
    threads = set(threading.enumerate()) - before
    assert threads
    del compressor
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_a_program_that_never_closes_ends_quietly() -> None:
    code = (
        "from compressor import Compressor\n"
        "kept = Compressor(workers=2)\n"
        "print(kept.compress('Well, this is really a very short text, is it not?', rate=0.6).rate)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) <= 1


def test_a_classifier_that_is_not_there_is_explained(tmp_path: object) -> None:
    with Compressor(name=f"{tmp_path}/none", backend="onnx") as compressor:
        for _ in range(2):
            with pytest.raises(ClassifierUnavailable, match="none"):
                compressor.compress(prose(20), rate=0.5)
        # What needs no classifier works all the same.
        assert compressor.compress("", rate=0.5).text == ""


def test_the_bundled_classifier_from_end_to_end() -> None:
    text = (
        "Good morning everyone, and thank you all very much for coming in today. As most of you "
        "will probably already know, the city council has decided to close the old bridge on "
        "Market Street from 3 March 2025. It is not going to reopen before the end of the summer. "
    ) * 6
    with Compressor() as compressor:
        result = compressor.compress(text, rate=0.5)
        again = compressor.compress(text, rate=0.5)
    assert isinstance(result, CompressionResult)
    assert result == again
    assert 0.3 < result.rate < 0.7
    assert "Market Street" in result.text
    assert "not" in result.text.split()


@pytest.mark.parametrize("chosen", [Settings(rate=0.5), Settings(rate=1)])
def test_an_explanation_comes_beside_the_same_result(
    compressor: Compressor, chosen: Settings
) -> None:
    text = prose(120)
    plain, result = (
        compressor.compress(text, chosen),
        compressor.compress(text, chosen, explain=True),
    )
    assert plain.words == ()
    assert replace(result, words=()) == plain
    assert [w.of(text) for w in result.words] == [text[w.start : w.end] for w in split_words(text)]
    asked = [w.probability is not None for w in result.words]
    assert asked == [chosen.rate != 1] * len(asked)
