import hashlib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from compressor.tokens import (
    BytePairCounter,
    EncodingChoice,
    Tokenizers,
    UnknownEncoding,
    load_counter,
)

# As stated in tiktoken's openai_public.py.
SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}


@pytest.fixture(scope="module", params=sorted(SHA256))
def counter(request: pytest.FixtureRequest) -> BytePairCounter:
    return BytePairCounter(request.param)


@pytest.mark.parametrize("encoding", sorted(SHA256))
def test_vocabularies_are_the_published_ones(encoding: str) -> None:
    file = resources.files("compressor.vocabulary").joinpath(f"{encoding}.tiktoken")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256[encoding]


@pytest.mark.parametrize(
    ("encoding", "text", "tokens"),
    [  # counts published in OpenAI's cookbook, "How to count tokens with tiktoken"
        ("cl100k_base", "antidisestablishmentarianism", 6),
        ("o200k_base", "antidisestablishmentarianism", 6),
        ("cl100k_base", "2 + 2 = 4", 7),
        ("o200k_base", "2 + 2 = 4", 7),
        ("cl100k_base", "お誕生日おめでとう", 9),
        ("o200k_base", "お誕生日おめでとう", 8),
    ],
)
def test_counts_are_the_published_ones(encoding: str, text: str, tokens: int) -> None:
    assert load_counter(encoding).count(text) == tokens


@pytest.mark.parametrize(
    ("model", "encoding", "estimated"),
    [
        ("gpt-4o", "o200k_base", False),
        ("gpt-4o-mini-2024-07-18", "o200k_base", False),
        ("gpt-4.1-nano", "o200k_base", False),
        ("gpt-5-mini", "o200k_base", False),
        ("o3-mini", "o200k_base", False),
        ("gpt-oss-120b", "o200k_base", False),
        ("gpt-4-turbo", "cl100k_base", False),
        ("GPT-3.5-Turbo", "cl100k_base", False),
        ("openai/gpt-4o", "o200k_base", False),
        ("openrouter/openai/gpt-4:extended", "cl100k_base", False),
        ("openai/ft:o4-mini:org::id", "o200k_base", False),
        ("openrouter/openai/gpt-4-32k", "cl100k_base", False),
        ("ft:gpt-4o-mini:acme::abc123", "o200k_base", False),
        ("text-embedding-3-small", "cl100k_base", False),
        ("text-davinci-003", "o200k_base", True),
        ("claude-sonnet-4-5", "o200k_base", True),
        ("meta-llama/Llama-3.1-8B", "o200k_base", True),
        ("a model nobody knows", "o200k_base", True),
        ("", "o200k_base", True),
    ],
)
def test_the_encoding_of_a_model(model: str, encoding: str, estimated: bool) -> None:
    assert Tokenizers().for_model(model) == EncodingChoice(encoding, estimated)


def test_config_may_name_the_encoding_of_a_model() -> None:
    tokenizers = Tokenizers({"Acme-*": "cl100k_base"})
    assert tokenizers.for_model("acme-large") == EncodingChoice("cl100k_base", estimated=False)


def test_a_counter_is_loaded_once() -> None:
    tokenizers = Tokenizers()
    assert tokenizers.counter("cl100k_base") is tokenizers.counter("cl100k_base")


def test_text_of_special_tokens_is_plain_text(counter: BytePairCounter) -> None:
    assert counter.count("<|endoftext|>") > 1


@pytest.mark.parametrize("character", [" ", "\t", "\n", "a", "!", "漢", "1", "\u00a0"])
def test_a_million_of_one_character(counter: BytePairCounter, character: str) -> None:
    text = character * 1_000_000
    starts = counter.starts(text)
    assert counter.count(text) == len(starts) > 1000
    assert starts[-1] < len(text)


def test_many_long_runs_of_spaces(counter: BytePairCounter) -> None:
    """A search for runs that is quadratic in their length takes half a minute here."""
    run = " " * 15_000 + "a"
    assert counter.count(run * 60) == 60 * counter.count(run)


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(), max_size=60))
def test_starts_ascend_within_the_text_and_agree_with_the_count(text: str) -> None:
    for encoding in SHA256:
        shared = _shared(encoding)
        starts = list(shared.starts(text))
        assert len(starts) == shared.count(text)
        assert starts == sorted(starts)
        assert all(0 <= s < len(text) for s in starts)


def test_starts_cut_the_text_at_its_tokens() -> None:
    text = "Hello world, naïve 🙂!"
    starts = load_counter("o200k_base").starts(text)
    assert text[starts[1] : starts[2]] == " world"


def test_a_tokenizer_file(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = load_counter(str(tmp_path / "tokenizer.json"))
    assert counter.count("one two three") == 3
    assert list(counter.starts("one two three")) == [0, 4, 8]


def test_what_cannot_be_counted_with_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UnknownEncoding, match="cl100k_base, o200k_base"):
        load_counter("p50k")
    with pytest.raises(UnknownEncoding, match="cannot read the tokenizer file"):
        load_counter(str(tmp_path / "absent.json"))
    for content in ("{}", '{"model": {}}', '{"model": {"type": "BPE", "vocab": 7, "merges": []}}'):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(UnknownEncoding, match="is not a tokenizer file"):
            load_counter(str(tmp_path / "bad.json"))


_counters = Tokenizers()


def _shared(encoding: str) -> BytePairCounter:
    counter = _counters.counter(encoding)
    assert isinstance(counter, BytePairCounter)
    return counter
