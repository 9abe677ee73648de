"""What LLMLingua's users call, and what they get instead of its known faults."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from compressor.classifier.base import ClassifierUnavailable
from compressor.engine import Compressor
from compressor.llmlingua import PromptCompressor
from compressor.structured import TagError
from compressor.tokens import Tokenizers
from tests.compressor.scripted_classifier import ScriptedClassifier

TOKENIZERS = Tokenizers()
CL100K = TOKENIZERS.counter("cl100k_base")
CONTEXTS = [
    "Members of the public asked for a new library near the old bridge in the centre of the town.",
    "The harbour was closed because a storm had come over the islands during the night.",
    "An open market for vegetables is held in the square when the weather allows it to be held.",
]
INSTRUCTION, QUESTION = "Answer in one word, please.", "When was the harbour closed?"
RESULT_FIELDS = {
    "compressed_prompt", "compressed_prompt_list", "origin_tokens", "compressed_tokens", "ratio",
    "rate", "saving",
}  # fmt: skip


@pytest.fixture(scope="module")
def lingua() -> Iterator[PromptCompressor]:
    likely = {"harbour": 0.9, "storm": 0.9, "islands": 0.9, "market": 0.9}
    compressor = Compressor(ScriptedClassifier(likely), TOKENIZERS, workers=1)
    with PromptCompressor(compressor=compressor) as lingua:
        yield lingua


def test_the_result_has_llmlinguas_fields_and_true_numbers(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt(CONTEXTS, rate=0.4)
    assert set(found) == RESULT_FIELDS | {"survived_contexts", "budget_unmet"}
    source = "\n\n".join(CONTEXTS)
    assert found["origin_tokens"] == CL100K.count(source)
    assert found["compressed_tokens"] == CL100K.count(found["compressed_prompt"])
    ratio = found["origin_tokens"] / found["compressed_tokens"]
    assert found["ratio"] == f"{ratio:.1f}x"
    assert found["rate"] == f"{100 / ratio:.1f}%"
    assert found["saving"] == ", Saving $0.0 in GPT-4."
    assert "\n\n".join(found["compressed_prompt_list"]) == found["compressed_prompt"]
    assert 1 / ratio == pytest.approx(0.4, abs=0.02)
    assert lingua(CONTEXTS, rate=0.4) == found


def test_instruction_and_question_stay_word_for_word(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt(CONTEXTS, INSTRUCTION, QUESTION, rate=0.3)
    prompt = found["compressed_prompt"]
    assert prompt.startswith(INSTRUCTION + "\n\n")
    assert prompt.endswith("\n\n" + QUESTION)
    assert found["compressed_tokens"] == CL100K.count(prompt)
    without = lingua.compress_prompt(
        CONTEXTS, INSTRUCTION, QUESTION, rate=0.3, concate_question=False
    )
    assert without["compressed_prompt"] == prompt.removesuffix("\n\n" + QUESTION)


@pytest.mark.parametrize("target", [30, 37, 45, 58, 1000])
def test_target_token_is_a_cap_on_the_whole_prompt(lingua: PromptCompressor, target: int) -> None:
    found = lingua.compress_prompt(CONTEXTS, INSTRUCTION, QUESTION, target_token=target)
    assert found["compressed_tokens"] <= target
    assert found["compressed_tokens"] >= min(0.9 * target, found["origin_tokens"])
    assert not found["budget_unmet"]


def test_a_cap_that_cannot_be_is_said(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt(CONTEXTS, INSTRUCTION, QUESTION, target_token=5)
    assert found["budget_unmet"]
    assert INSTRUCTION in found["compressed_prompt"]


@pytest.mark.parametrize("text", ["hello", "  two\twords\n\nx² … ＡＢＣ 🙂 f(x) ", "", " "])
def test_rate_1_is_identity(lingua: PromptCompressor, text: str) -> None:
    expected = text if text.strip() else ""
    assert lingua.compress_prompt(text, rate=1)["compressed_prompt"] == expected


def test_little_texts_survive(lingua: PromptCompressor) -> None:
    assert lingua.compress_prompt("hello", rate=0.3)["compressed_prompt"] == "hello"
    empty = lingua.compress_prompt("", rate=0.3)
    assert (empty["compressed_prompt"], empty["ratio"], empty["rate"]) == ("", "1.0x", "100.0%")
    assert lingua.compress_prompt([], target_token=9)["compressed_prompt_list"] == []
    among = lingua.compress_prompt(["", CONTEXTS[1], ""], target_token=9, target_context=1)
    assert among["survived_contexts"] == [1]
    literal = lingua.compress_prompt(
        "Here <|endoftext|> and </s> stand [NEW0] for themselves", rate=1
    )
    assert "<|endoftext|> and </s> stand [NEW0]" in literal["compressed_prompt"]


def test_contexts_are_only_dropped_when_asked(lingua: PromptCompressor) -> None:
    assert lingua.compress_prompt(CONTEXTS, rate=0.5)["survived_contexts"] == [0, 1, 2]
    asked = lingua.compress_prompt(CONTEXTS, rate=0.5, use_context_level_filter=True)
    assert asked["survived_contexts"] == [1, 2]
    by_target = lingua.compress_prompt(CONTEXTS, target_token=10, use_context_level_filter=True)
    assert by_target["survived_contexts"] == [1]
    for options in ({"target_context": 1}, {"context_level_target_token": 20}):
        found = lingua.compress_prompt(CONTEXTS, rate=0.9, **options)
        assert found["survived_contexts"] == [1]
        assert len(found["compressed_prompt_list"]) == 1
        every = lingua.compress_prompt(CONTEXTS, use_context_level_filter=False, **options)
        assert every["survived_contexts"] == [0, 1, 2]
    by_rate = lingua.compress_prompt(CONTEXTS, context_level_rate=0.7, force_context_ids=[0])
    assert by_rate["survived_contexts"] == [0, 1]


@pytest.mark.parametrize("wanted", [{}, {"use_context_level_filter": True}])
@pytest.mark.parametrize("index", [-1, 3])
def test_a_context_to_keep_that_is_not_there_is_named(
    lingua: PromptCompressor, index: int, wanted: dict[str, bool]
) -> None:
    for call in (lingua.compress_prompt, lingua.structured_compress_prompt):
        with pytest.raises(ValueError, match=rf"no context {index}: there are 3, from 0"):
            call(CONTEXTS, force_context_ids=[index], **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["force_tokens", "chunk_end_tokens"])
def test_one_text_is_no_list_of_tokens(lingua: PromptCompressor, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is one text"):
        lingua.compress_prompt(CONTEXTS, **{name: "harbour"})  # type: ignore[arg-type]


def test_without_the_fine_level_contexts_stay_whole(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt(
        CONTEXTS, rate=0.4, use_context_level_filter=True, use_token_level_filter=False
    )
    assert found["compressed_prompt"] == CONTEXTS[1]


def test_words_are_labelled(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt(
        CONTEXTS[:2],
        rate=0.5,
        target_context=1,
        return_word_label=True,
        word_sep="|",
        label_sep="/",
    )
    pairs = [pair.rsplit("/", 1) for pair in found["fn_labeled_original_prompt"].split("|")]
    assert [word for word, _ in pairs][:4] == ["Members", "of", "the", "public"]
    labels = {word: label for word, label in pairs[20:]}
    assert labels["harbour"] == labels["storm"] == "1"
    assert {label for _, label in pairs[:18]} == {"0"}
    usual = lingua.compress_prompt("One two", rate=1, return_word_label=True)
    assert usual["fn_labeled_original_prompt"] == "One 1\t\t|\t\ttwo 1"


def test_word_options_reach_the_compressor(lingua: PromptCompressor) -> None:
    found = lingua.compress_prompt_llmlingua2(
        "The bus 42 goes there and back and there and back again on most days, when it goes",
        rate=0.3,
        force_tokens=["\n", "and"],
        force_reserve_digit=True,
        drop_consecutive=True,
        token_to_word="first",
        chunk_end_tokens=[".", "\n"],
    )
    assert {"42", "and"} <= set(found["compressed_prompt"].split())


def test_forced_words_stay_where_nothing_is_protected(lingua: PromptCompressor) -> None:
    bare = PromptCompressor(compressor=lingua._compressor, protect=frozenset())
    found = bare.compress_prompt(CONTEXTS, rate=0.3, force_tokens=["near the old bridge"])
    assert "near the old bridge" in found["compressed_prompt"]


def test_parameters_of_the_first_llmlingua_are_said_to_do_nothing(lingua: PromptCompressor) -> None:
    with pytest.warns(UserWarning, match="iterative_size") as caught:
        lingua.compress_prompt(CONTEXTS, iterative_size=200)  # type: ignore[call-arg]
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="'iterative_sise'"):
        lingua.compress_prompt(CONTEXTS, iterative_sise=200)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="rate is 0"):
        lingua.compress_prompt(CONTEXTS, rate=0)


def test_structured_prompts_obey_their_tags(lingua: PromptCompressor) -> None:
    tagged = [
        f"<llmlingua, compress=False>All < of > this stays.</llmlingua> {CONTEXTS[0]}",
        f"<llmlingua, rate=0.3>{CONTEXTS[1]}</llmlingua>",
    ]
    found = lingua.structured_compress_prompt(tagged, INSTRUCTION, QUESTION, rate=0.6)
    prompt = found["compressed_prompt"]
    assert "All < of > this stays." in prompt
    assert prompt.startswith(INSTRUCTION)
    assert prompt.endswith(QUESTION)
    assert "llmlingua" not in prompt
    assert found["survived_contexts"] == [0, 1]
    share = CL100K.count(found["compressed_prompt_list"][1]) / CL100K.count(CONTEXTS[1])
    assert share == pytest.approx(0.3, abs=0.06)
    capped = lingua.structured_compress_prompt(tagged, INSTRUCTION, QUESTION, target_token=35)
    assert 32 <= capped["compressed_tokens"] <= 35
    one = lingua.structured_compress_prompt(tagged[1], rate=1, use_context_level_filter=True)
    assert one["survived_contexts"] == [0]
    with pytest.raises(TagError, match="line 1"):
        lingua.structured_compress_prompt(["<llmlingua>open"])


def test_without_the_fine_level_segments_and_strings_stay_whole(lingua: PromptCompressor) -> None:
    tagged = [f"<llmlingua, rate=0.3>{CONTEXTS[1]}</llmlingua> {CONTEXTS[0]}", CONTEXTS[2]]
    found = lingua.structured_compress_prompt(tagged, rate=0.3, use_token_level_filter=False)
    assert found["compressed_prompt_list"] == [f"{CONTEXTS[1]} {CONTEXTS[0]}", CONTEXTS[2]]
    coarse = lingua.structured_compress_prompt(
        CONTEXTS, rate=0.4, use_context_level_filter=True, use_token_level_filter=False
    )
    assert coarse["compressed_prompt"] == CONTEXTS[1]
    data = {"text": CONTEXTS[1], "more": CONTEXTS[0]}
    config = {key: {"rate": 0.3, "pair_remove": True} for key in data}
    whole = lingua.compress_json(data, config, use_token_level_filter=False)
    assert whole["compressed_prompt"] == data
    fewer = lingua.compress_json(
        data, config, rate=0.5, use_keyvalue_level_filter=True, use_token_level_filter=False
    )
    assert fewer["compressed_prompt"] == {"text": CONTEXTS[1]}


def test_json_stays_json(lingua: PromptCompressor, tmp_path: Path) -> None:
    data = {"id": 7, "text": CONTEXTS[1], "note": "short, and kept", "more": CONTEXTS[0]}
    config = {
        "id": {"rate": 1, "compress": False, "pair_remove": False, "value_type": "int"},
        "text": {"rate": 0.5, "compress": True, "pair_remove": False, "value_type": "string"},
        "more": {"rate": 0.5, "compress": True, "pair_remove": True, "value_type": "string"},
    }
    found = lingua.compress_json(data, config)
    prompt = found["compressed_prompt"]
    assert (prompt["id"], prompt["note"], list(prompt)) == (7, "short, and kept", list(data))
    assert len(prompt["text"]) < len(CONTEXTS[1])
    assert json.loads(found["compressed_prompt_list"][0]) == prompt
    assert found["origin_tokens"] == CL100K.count(json.dumps(data))
    fewer = lingua.compress_json(data, config, rate=0.3, use_keyvalue_level_filter=True)
    assert list(fewer["compressed_prompt"]) == ["id", "text", "note"]
    assert fewer["survived_contexts"] == [0, 1, 2]
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    assert lingua.compress_json(data, str(file)) == found
    file.write_text("id: {rate: 1}")
    with pytest.raises(ValueError, match=r"yaml\.safe_load"):
        lingua.compress_json(data, str(file))
    file.write_text("[1]")
    with pytest.raises(ValueError, match="an object of objects"):
        lingua.compress_json(data, str(file))
    with pytest.warns(UserWarning, match="no part of the object"):
        lingua.compress_json(data, config, INSTRUCTION)


def test_construction_says_what_it_cannot_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only LLMLingua-2"):
        PromptCompressor(use_llmlingua2=False)
    with pytest.raises(TypeError, match="max_sise"):
        PromptCompressor(llmlingua2_config={"max_sise": 1})
    with pytest.raises(ClassifierUnavailable, match="no folder"):
        PromptCompressor(str(tmp_path / "none"))
    with pytest.warns(UserWarning, match="model_config"):
        PromptCompressor(model_config={"trust_remote_code": True}).close()


def test_the_bundled_classifier_works_offline_and_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with PromptCompressor(llmlingua2_config={"max_batch_size": 50}) as lingua:
            found = lingua.compress_prompt(CONTEXTS * 3, rate=0.5, force_tokens=["\n", "?"])
    assert 0.4 < found["compressed_tokens"] / found["origin_tokens"] <= 0.52
