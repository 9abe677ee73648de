"""The reference algorithm on any classifier; test_reference_parity.py holds it to its source."""

from collections.abc import Sequence

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models

from compressor.classifier.base import Encoded
from compressor.classifier.registry import load_classifier
from compressor.reference import (
    Chunk,
    ReferenceFeed,
    ReferenceOptions,
    chunk_bounds,
    decide,
    read_chunks,
    reference_compress,
)
from compressor.tokens import Tokenizers
from compressor.windows import Window

CL100K = Tokenizers().counter("cl100k_base")
PROSE = (
    "The committee did not approve the budget of 4,250 euros because the auditor, Ms Okafor, had "
    "not yet signed the report. It will meet again on 14 March, said the chair of the council.\n"
) * 20


def chunk(pieces: Sequence[str], probabilities: Sequence[float]) -> Chunk:
    return Chunk(pieces, np.array(probabilities, np.float32), frozenset({"<unk>", "[UNK]"}))


def test_chunks_end_at_the_last_end_token_and_else_after_511_pieces() -> None:
    pieces = ["a"] * 1500
    assert chunk_bounds(pieces, ["."]) == [(0, 511), (511, 1022), (1022, 1500)]
    pieces[400] = pieces[600] = "."
    assert chunk_bounds(pieces, ["."]) == [(0, 401), (401, 601), (601, 1112), (1112, 1500)]
    assert chunk_bounds([], ["."]) == []
    assert chunk_bounds(["a"] * 510, ["."]) == [(0, 510)]


def test_a_chunk_of_511_pieces_fits_a_classifier_of_512_positions() -> None:
    """Two special tokens stand around it, so its last piece needs a window of its own."""
    classifier = load_classifier()
    text = "word " * 700
    chunks = read_chunks(text, classifier, ReferenceOptions(rate=0.5))
    assert [len(c.pieces) for c in chunks] == [511, 190]
    assert [c.probabilities.shape for c in chunks] == [(511,), (190,)]


def test_pieces_become_words_as_each_vocabulary_marks_them() -> None:
    options = ReferenceOptions(rate=0.5)
    metaspace = chunk(["▁play", "ing", ".", "14", "<unk>", "▁x"], [0.2, 0.4, 0.5, 0.7, 0.9, 0.1])
    [words] = decide([metaspace], CL100K, options).chunks
    assert [w.text for w in words] == ["▁playing", ".14", "▁x"]
    assert [w.probability for w in words] == pytest.approx([0.3, 0.6, 0.1])
    wordpiece = chunk(["play", "##ing", ".", "[UNK]", "14"], [0.2, 0.4, 0.5, 0.9, 0.7])
    [words] = decide([wordpiece], CL100K, options).chunks
    assert [w.text for w in words] == ["playing", ".", "14"]


def test_first_takes_the_first_piece_and_digits_are_forced_by_the_piece() -> None:
    pieces = chunk(["▁a", "1", "▁b"], [0.2, 0.4, 0.3])
    [words] = decide([pieces], CL100K, ReferenceOptions(token_to_word="first")).chunks
    assert [w.probability for w in words] == pytest.approx([0.2, 0.3])
    [words] = decide([pieces], CL100K, ReferenceOptions(force_digits=True)).chunks
    assert [w.probability for w in words] == pytest.approx([0.6, 0.3])


def test_a_text_of_one_word_vanishes_as_it_does_in_the_package() -> None:
    assert decide([chunk(["▁hello"], [0.9])], CL100K, ReferenceOptions(rate=0.9)).text == ""


def test_a_chunk_that_begins_inside_a_word_is_taken_as_it_is() -> None:
    result = decide([chunk(["##ing", "on"], [0.9, 0.1])], CL100K, ReferenceOptions(rate=0.5))
    assert [w.text for w in result.chunks[0]] == ["##ing", "on"]


def test_a_repeated_force_token_stays_once() -> None:
    pieces = chunk(["of", "a", "of", "b"], [0.1, 0.0, 0.1, 0.3])
    options = ReferenceOptions(rate=0.75, force_tokens=("of",), drop_consecutive=True)
    assert decide([pieces], CL100K, options).text.split().count("of") == 1


@pytest.mark.parametrize("rate", [0.8, 0.5, 0.33, 0.2])
def test_on_the_bundled_classifier_the_rate_comes_out_roughly(rate: float) -> None:
    result = reference_compress(PROSE, load_classifier(), CL100K, ReferenceOptions(rate=rate))
    assert CL100K.count(result.text) / CL100K.count(PROSE) == pytest.approx(rate, abs=0.12)
    kept = {word.text.strip("▁") for chunk in result.chunks for word in chunk if word.kept}
    assert {"budget", "March"} <= kept if rate >= 0.5 else kept


def test_nothing_to_do() -> None:
    assert reference_compress(" as  is ", load_classifier(), CL100K, ReferenceOptions(rate=1)) == (
        reference_compress(" as  is ", load_classifier(), CL100K, ReferenceOptions(rate=1.0))
    )
    assert reference_compress("", load_classifier(), CL100K).text == ""
    with pytest.raises(ValueError, match="above 0"):
        ReferenceOptions(rate=0)


class Half:
    """Every token half likely; remembers the windows that it was asked for."""

    revision = "half"

    def __init__(self) -> None:
        self.asked: list[Window] = []

    def encode(self, text: str) -> Encoded:
        n = len(text.split())
        return Encoded(np.zeros(n, np.int64), np.zeros((n, 2), np.int32))

    def pieces(self, encoded: Encoded) -> list[str]:
        return ["▁x"] * len(encoded.ids)

    def windows(self, encoded: Encoded) -> list[Window]:
        raise AssertionError("the reference cuts its own chunks")

    def keep_probabilities(self, encoded: Encoded, window: Window) -> np.ndarray:
        self.asked.append(window)
        return np.full(window.used_end - window.used_start, 0.5, np.float32)


def test_every_chunk_is_seen_by_itself() -> None:
    half = Half()
    result = reference_compress("x " * 600, half, CL100K)
    # 510 pieces at most beside two special tokens, so the 511th is asked for by itself
    assert half.asked == [
        Window(0, 510, 0, 510),
        Window(1, 511, 510, 511),
        Window(511, 600, 511, 600),
    ]
    assert result.text == ""  # all are equal to the threshold


def test_the_feed_has_berts_special_tokens_whatever_the_family() -> None:
    fed: list[tuple[np.ndarray, np.ndarray]] = []

    def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        fed.append((ids, mask))
        return np.linspace(0, 1, ids.size, dtype=np.float32).reshape(ids.shape)

    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("x", -1.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.decoder = decoders.Metaspace()
    feed = ReferenceFeed(tokenizer, frozenset({"<unk>", "<s>"}), forward)
    [read] = feed.read_chunks("xx", ReferenceOptions())
    [(ids, mask)] = fed
    assert ids.shape == (1, 512)
    assert ids[0].tolist() == [3, 4, 4, 3] + [3] * 508
    assert mask.sum() == 4
    assert list(read.pieces) == ["<unk>", "x", "x", "<unk>"]
    nothing = ReferenceFeed(
        Tokenizer(models.WordLevel({"x": 0}, unk_token="x")), frozenset(), forward
    )
    with pytest.raises(ValueError, match="neither"):
        nothing._id("[CLS]")
