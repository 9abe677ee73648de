"""The llmlingua package and we read the same random checkpoints, to the same probabilities."""

import inspect
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.parity import Both, both, compare, report
from compressor.llmlingua import PromptCompressor
from compressor.llmlingua_parameters import OF_LLMLINGUA_1, PromptOptions, WordOptions
from compressor.reference import ReferenceFeed, ReferenceOptions
from tests.compressor.tiny_checkpoints import CORPUS, FAMILIES

pytest.importorskip("torch", reason="needs the torch extra: make test-all")
llmlingua = pytest.importorskip("llmlingua", reason="needs llmlingua: make test-all")
pytestmark = pytest.mark.torch


def long_text(words: int) -> str:
    chance = random.Random(words)
    return " ".join(chance.choice(" ".join(CORPUS).split()) for _ in range(words))


TEXTS = [
    CORPUS[0],
    " ".join(CORPUS),
    "Line one.\n\n  Line two, with\ttabs; f(x) = 3.14 and a.b!\n",
    "naïve café 東京の天気 x² … ＡＢＣ 🙂 end",
    long_text(650),
]


@pytest.fixture(scope="module", name="both", params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> Iterator[Both]:
    with both(request.param) as made:
        yield made


def test_the_feed_is_padded_and_starts_with_berts_special_tokens(both: Both) -> None:
    """Which XLM-R's vocabulary does not have, so its model sees <unk> (LLMLingua issue 181)."""
    fed: list[np.ndarray] = []

    def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        fed.append(ids[0])
        return np.zeros(ids.shape, np.float32)

    ReferenceFeed(both.tokenizer, frozenset(), forward).read_chunks("It", ReferenceOptions())
    [ids] = fed
    theirs = both.package.tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]", "[PAD]"])
    assert ids.shape == (512,)
    assert [ids[0], ids[ids.tolist().index(theirs[1], 1)], ids[-1]] == theirs


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t[:16])
@pytest.mark.parametrize("token_to_word", ["mean", "first"])
def test_word_probabilities_are_equal(both: Both, text: str, token_to_word: Any) -> None:
    theirs = both.package_words(text, token_to_word=token_to_word)
    ours = both.words(text, ReferenceOptions(token_to_word=token_to_word))
    assert [w for w, _ in ours] == [w for w, _ in theirs]
    assert [p for _, p in ours] == pytest.approx([p for _, p in theirs], abs=1e-4)
    assert np.std([p for _, p in theirs]) > 0.002  # so that 1e-4 means something


@pytest.mark.parametrize(
    "method",
    [
        "compress_prompt",
        "compress_prompt_llmlingua2",
        "structured_compress_prompt",
        "compress_json",
    ],
)
def test_the_stand_in_knows_every_parameter_of_the_package(method: str) -> None:
    theirs = inspect.signature(getattr(llmlingua.PromptCompressor, method)).parameters
    ours = inspect.signature(getattr(PromptCompressor, method)).parameters
    options = PromptOptions if method == "compress_prompt_llmlingua2" else WordOptions
    assert set(theirs) <= set(ours) | options.__annotations__.keys() | OF_LLMLINGUA_1
    positional = ["context", "instruction", "question", "rate", "target_token"]
    positional[0] = next(iter(theirs.keys() - {"self"} & {"context"}), "json_data")
    for name in set(positional) & set(ours):
        if theirs[name].default is not inspect.Parameter.empty:
            assert ours[name].default == theirs[name].default, name


def test_the_stand_in_reads_the_same_checkpoint_and_answers_in_the_same_fields(both: Both) -> None:
    with PromptCompressor(str(both.folder), device_map="cpu") as ours:
        found = ours.compress_prompt([TEXTS[1]], rate=0.5, return_word_label=True)
    theirs = both.package.compress_prompt([TEXTS[1]], rate=0.5, return_word_label=True)
    assert found["origin_tokens"] == theirs["origin_tokens"]
    assert set(theirs) <= set(found)
    assert {k: type(theirs[k]) for k in theirs} == {k: type(found[k]) for k in theirs}  # type: ignore[literal-required]


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t[:16])
@pytest.mark.parametrize(
    "options",
    [
        ReferenceOptions(rate=0.75),
        ReferenceOptions(rate=0.33),
        ReferenceOptions(rate=0.5, token_to_word="first"),
        ReferenceOptions(rate=0.4, force_digits=True),
        ReferenceOptions(rate=0.4, force_tokens=("of", "the", "t"), drop_consecutive=True),
        ReferenceOptions(rate=0.6, chunk_end_tokens=("[",)),
    ],
    ids=str,
)
def test_the_same_words_are_kept(both: Both, text: str, options: ReferenceOptions) -> None:
    single = [t for t in options.force_tokens if len(both.package.tokenizer.tokenize(t)) == 1]
    options = replace(options, force_tokens=tuple(single))
    assert both.text(text, options) == both.package_text(text, options)


def test_the_table_says_what_was_compared() -> None:
    head, rule, *rows = report(TEXTS[:2]).split("\n")
    assert head.count("|") == rule.count("|") == 7
    assert [row.split(" | ")[0] for row in rows] == [f"| {family}" for family in FAMILIES]
    for row in rows:
        _, texts, words, by_mean, by_first, compressed = row.strip("| ").split(" | ")
        assert texts == "2"
        assert compressed == "16 of 16"
        same, total = words.replace(",", "").split(" of ")
        assert same == total != "0"
        assert max(float(by_mean), float(by_first)) < 1e-4


def test_the_table_says_what_is_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Both.words
    monkeypatch.setattr(Both, "words", lambda *of: [("x", p + 0.25) for _, p in told(*of)][1:])
    monkeypatch.setattr(Both, "text", lambda *of: "other")
    found = compare("bert", TEXTS[:1])
    assert (found.same_words, found.same_compressed) == (0, 0)
    assert min(found.differences.values()) > 0.1
