import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from compressor.classifier.base import PlainTokenizer
from compressor.training.examples import (
    BadPassage,
    Passage,
    examples_of,
    gather,
    is_held_out,
    pad,
    read_annotated,
    soft_label,
    split,
    token_targets,
)
from compressor.windows import QUESTION_TOKENS, WINDOW_TOKENS
from tests.compressor.training.annotated_texts import write

AROUND = (1, 2)


def characters() -> PlainTokenizer:
    """A tokenizer with one token a character."""
    vocabulary = {chr(i): i - 94 for i in range(97, 123)} | {"?": 0, ".": 40}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")]
    )
    return PlainTokenizer(tokenizer)


def passage(words: list[tuple[str, float | None]], weight: float = 1.0) -> Passage:
    spans, labels, at = [], [], 0
    for word, label in words:
        spans.append((at, at + len(word)))
        labels.append(np.nan if label is None else label)
        at += len(word) + 1
    text = " ".join(word for word, _ in words)
    return Passage(
        "p", "made", "d", "en", text, np.array(spans, np.int64).reshape(-1, 2),
        np.array(labels, np.float32), weight,
    )  # fmt: skip


labelled_words = st.lists(
    st.tuples(st.text("abcdef", min_size=1, max_size=9), st.sampled_from([0.0, 0.5, 1.0, None])),
    min_size=1,
    max_size=120,
)


@given(labelled_words, st.sampled_from([0.5, 1.0, 2.0]))
def test_every_labelled_word_weighs_the_same_however_long_and_wherever_windows_are_cut(
    words: list[tuple[str, float | None]], weight: float
) -> None:
    examples = examples_of(passage(words, weight), characters(), AROUND)
    total = sum(float(example.weights.sum()) for example in examples)
    assert total == pytest.approx(weight * sum(label is not None for _, label in words), rel=1e-4)
    kept = sum(float((e.weights * e.targets).sum()) for e in examples)
    assert kept == pytest.approx(weight * sum(label or 0 for _, label in words), rel=1e-4, abs=1e-4)


@given(labelled_words)
def test_windows_are_fed_as_they_are_when_the_classifier_serves(
    words: list[tuple[str, float | None]],
) -> None:
    tokens = characters().encode(passage(words).text).ids
    for example in examples_of(passage(words), characters(), AROUND):
        assert (example.ids[0], example.ids[-1]) == AROUND
        assert len(example.ids) <= WINDOW_TOKENS + 2
        assert example.weights[0] == example.weights[-1] == 0
        fed = example.ids[1:-1].tolist()
        assert any(fed == tokens[i : i + len(fed)].tolist() for i in range(len(tokens)))


@given(labelled_words, st.integers(1, 90))
def test_a_question_goes_before_every_window_and_weighs_nothing(
    words: list[tuple[str, float | None]], asked: int
) -> None:
    plain = passage(words)
    question = " ".join("ab" for _ in range(asked))
    shown = characters().encode(question).ids[:QUESTION_TOKENS].tolist()
    examples = examples_of(replace(plain, question=question), characters(), AROUND)
    assert sum(float(e.weights.sum()) for e in examples) == pytest.approx(
        sum(label is not None for _, label in words), rel=1e-4
    )
    for example in examples:
        lead = len(shown) + 2
        assert example.ids[:lead].tolist() == [AROUND[0], *shown, AROUND[1]]
        assert not example.weights[:lead].any()
        assert len(example.ids) <= WINDOW_TOKENS + 2


def test_marks_and_what_no_word_covers_weigh_nothing() -> None:
    spans = np.array([[0, 3], [3, 4], [8, 10]])
    labels = np.array([1.0, np.nan, 0.5], np.float32)
    offsets = np.array([[0, 2], [2, 3], [3, 4], [5, 7], [8, 10]], np.int32)
    targets, weights = token_targets(spans, labels, offsets)
    assert weights.tolist() == [0.5, 0.5, 0, 0, 1]
    assert targets[weights > 0].tolist() == [1, 1, 0.5]


def test_the_half_grade_and_smoothing_move_targets() -> None:
    moved = soft_label(np.array([0, 0.5, 1], np.float32), half=0.3, smoothing=0.1)
    assert moved == pytest.approx([0.05, 0.32, 0.95])


def test_a_batch_is_padded_and_masked() -> None:
    short, long = (examples_of(passage([(w, 1.0)]), characters(), AROUND)[0] for w in ("a", "abc"))
    ids, mask, _, weights = pad([short, long], padding=9)
    assert ids.tolist() == [[1, 3, 2, 9, 9], [1, 3, 4, 5, 2]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert weights[0, 3:].tolist() == [0, 0]


def test_a_document_is_on_one_side_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 60)
    train, held_out = split(read_annotated(path))
    assert len(train) + len(held_out) == 60
    assert {p.doc for p in held_out} == {f"d{i}" for i in range(60) if is_held_out(f"d{i}")}
    assert 0 < len(held_out) < 20
    more = write(tmp_path / "b.jsonl", 80)
    passages, validation = gather([path, more], None)
    assert {p.doc for p in validation}.isdisjoint(p.doc for p in passages)
    assert {p.id for p in validation} == {p.id for p in held_out}
    own = write(tmp_path / "c.jsonl", 5, first=50)
    passages, validation = gather([path], own)
    assert len(validation) == 5
    assert len(passages) == 55


@pytest.mark.parametrize(
    "broken", [{}, {"id": "a", "text": "b"}, {"id": "a", "text": "b", "words": [[0, "x", 1]]}]
)
def test_a_line_that_is_no_annotated_passage_is_named(
    tmp_path: Path, broken: dict[str, object]
) -> None:
    path = write(tmp_path / "a.jsonl", 1)
    path.write_text(path.read_text("utf-8") + json.dumps(broken) + "\n", "utf-8")
    with pytest.raises(BadPassage, match=r"a\.jsonl:2: not an annotated passage"):
        list(read_annotated(path))
