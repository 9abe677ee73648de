"""The llmlingua package and we read the same random checkpoints, to the same probabilities."""

import inspect
import os
import random
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from benchmarks.reference_speed import keep_vocabulary
from compressor.llmlingua import PromptCompressor
from compressor.llmlingua_parameters import OF_LLMLINGUA_1, PromptOptions, WordOptions
from compressor.reference import ReferenceFeed, ReferenceOptions, decide
from compressor.tokens import Tokenizers
from tests.compressor.tiny_checkpoints import CORPUS, FAMILIES, SPECIAL, write_checkpoint

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
llmlingua = pytest.importorskip("llmlingua", reason="needs llmlingua: make test-all")
pytestmark = pytest.mark.torch
torch.set_num_threads(1)  # for models this small, more only get in each other's way

# The package tells the families apart by a part of the folder's name.
PATH_NAMES = {"bert": "bert-base-multilingual-cased", "xlm-roberta": "xlm-roberta-large"}


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


class Both:
    """One checkpoint, in the package and here."""

    def __init__(self, family: str, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.package: Any = llmlingua.PromptCompressor(
                str(folder), device_map="cpu", use_llmlingua2=True
            )
        model = self.package.model.eval()

        def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                logits = model(
                    input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask) == 1
                ).logits
            return np.asarray(logits.softmax(-1)[..., 1].numpy())

        self.tokenizer = Tokenizer.from_str(self.package.tokenizer.backend_tokenizer.to_str())
        self.feed = ReferenceFeed(self.tokenizer, frozenset(SPECIAL[family]), forward)
        self.folder = folder

    def package_words(self, text: str, **options: Any) -> list[tuple[str, float]]:
        """Return the package's words and probabilities as it computes them on its way."""
        chunks = self.package._PromptCompressor__chunk_context(text, {".", "\n"})
        merge = self.package._PromptCompressor__token_prob_to_word_prob

        def tap(token_probabilities: list[list[float]], convert_mode: str = "mean") -> list[float]:
            means = merge(token_probabilities, convert_mode)
            taken.append(list(means))
            return means

        taken: list[list[float]] = []
        self.package._PromptCompressor__token_prob_to_word_prob = tap
        try:
            _, words, _ = self.package._PromptCompressor__compress([chunks], 0.5, **options)
        finally:
            del self.package._PromptCompressor__token_prob_to_word_prob
        return list(zip(words[0], [float(p) for means in taken for p in means], strict=True))


@pytest.fixture(scope="module")
def offline_tiktoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give tiktoken the vocabulary that it would download, under the name it looks for."""
    folder = tmp_path_factory.mktemp("tiktoken")
    keep_vocabulary(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "TIKTOKEN_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="module", params=FAMILIES)
def both(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    offline_tiktoken: None,
) -> Both:
    folder = tmp_path_factory.mktemp("named") / PATH_NAMES[request.param]
    folder.mkdir()
    # wide weights, so that probabilities are not all the same
    write_checkpoint(request.param, folder, seed=3, spread=0.3)
    return Both(request.param, folder)


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
    options = ReferenceOptions(token_to_word=token_to_word)
    theirs = both.package_words(text, token_to_word=token_to_word)
    result = decide(both.feed.read_chunks(text, options), CL100K, options)
    ours = [(w.text.lstrip("▁"), w.probability) for chunk in result.chunks for w in chunk]
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


CL100K = Tokenizers().counter("cl100k_base")


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
    theirs = both.package.compress_prompt_llmlingua2(
        [text],
        rate=options.rate,
        token_to_word=options.token_to_word,
        force_tokens=single,
        chunk_end_tokens=list(options.chunk_end_tokens),
        force_reserve_digit=options.force_digits,
        drop_consecutive=options.drop_consecutive,
    )
    ours = decide(both.feed.read_chunks(text, options), CL100K, options)
    assert ours.text == theirs["compressed_prompt"]
