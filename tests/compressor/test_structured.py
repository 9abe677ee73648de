from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.contexts import ContextFilter
from compressor.engine import Compressor
from compressor.structured import (
    CompressedStructure,
    Segment,
    TagError,
    compress_structured,
    parse_segments,
)
from compressor.tokens import Tokenizers
from compressor.types import Settings
from tests.compressor.scripted_classifier import ScriptedClassifier

TOKENIZERS = Tokenizers()
COUNTER = TOKENIZERS.counter("o200k_base")
PROSE = (
    "The harbour was closed because a storm had come over the islands during the night and the "
    "boats stayed where they were until the wind had turned to the north again"
)


@pytest.fixture(scope="module")
def compressor() -> Iterator[Compressor]:
    likely = {"harbour": 0.9, "storm": 0.8, "islands": 0.7}
    with Compressor(ScriptedClassifier(likely), TOKENIZERS, workers=1) as compressor:
        yield compressor


def compress(compressor: Compressor, text: str, **amount: object) -> CompressedStructure:
    return compress_structured(compressor, [text], Settings(**amount))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "rate", "compress"),
    [
        ("<llmlingua>", None, True),
        ("<llmlingua, rate=0.4>", 0.4, True),
        ("<llmlingua, compress=False>", None, False),
        ("<llmlingua, rate=0.4, compress=False>", 0.4, False),
        ("<llmlingua, compress=False, rate=0.4>", 0.4, False),
        ("<llmlingua,compress = true , rate = .4 >", 0.4, True),
        ("<llmlingua rate='1'>", 1.0, True),
    ],
)
def test_attributes_in_either_order(tag: str, rate: float | None, compress: bool) -> None:
    assert parse_segments(f"{tag}x</llmlingua>") == [Segment("x", rate, compress)]


def test_text_outside_of_tags_and_angle_brackets_inside_stay() -> None:
    text = "a <b> <llmlingua, compress=False>x < y > </b> <llmlinguas></llmlingua> 1 < 2"
    assert parse_segments(text) == [
        Segment("a <b> "),
        Segment("x < y > </b> <llmlinguas>", compress=False),
        Segment(" 1 < 2"),
    ]
    assert parse_segments("no tags") == [Segment("no tags")]
    assert parse_segments("< llmlingua>x< / llmlingua >") == [Segment("x")]
    assert parse_segments("") == parse_segments("<llmlingua></llmlingua>") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb <llmlingua>x", r"line 2, column 3: <llmlingua>: </llmlingua> is missing"),
        ("x</llmlingua>", r"line 1, column 2: </llmlingua>: nothing is open"),
        ("<llmlingua>a<llmlingua>b</llmlingua>", r"column 13: .*the one of line 1, column 1"),
        ("<llmlingua, rate=2>x</llmlingua>", r"rate is 2; .*at most 1"),
        ("<llmlingua, rate=0>x</llmlingua>", r"above 0"),
        ("<llmlingua, rate=half>x</llmlingua>", r"'half', which is no number"),
        ("<llmlingua, compress=no>x</llmlingua>", r"compress is 'no'"),
        ("<llmlingua, ratio=0.3>x</llmlingua>", r"'ratio' is not known"),
        ("<llmlingua, rate=0.1, rate=0.2>x</llmlingua>", r"rate twice"),
        ("<llmlingua, rate>x</llmlingua>", r"'rate' is not of the form"),
        ("<llmlingua, rate=0.4 <b>x</llmlingua>", r"not closed with >"),
        ("<llmlingua>x</llmlingua, rate=1>", r"a closing tag has no attributes"),
        ("a <llmlingua/> b", r"column 3: <llmlingua/>: '/' is not of the form"),
        ("a <llmlingua", r"column 3: <llmlingua: the tag is not closed with >"),
        ("a < llmlingua, rate=0.5>b", r"column 3: .*</llmlingua> is missing"),
    ],
)
def test_a_broken_tag_is_shown_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(TagError, match=message):
        parse_segments(text)


def test_one_text_is_no_list_of_contexts(compressor: Compressor) -> None:
    with pytest.raises(TypeError, match="give a list"):
        compress_structured(compressor, PROSE, Settings(rate=0.5))


def test_a_question_counts_in_every_segment(compressor: Compressor) -> None:
    text = (
        f"{PROSE}. The mill wheel is of oak.\n"
        f"<llmlingua, rate=0.5>{PROSE}. The mill stands by the ford.</llmlingua>"
    )
    asked = compress(compressor, text, rate=0.5, question="What about the mill?").text
    blind = compress(compressor, text, rate=0.5).text
    for answer in ("The mill wheel is of oak.", "The mill stands by the ford."):
        assert answer in asked
        assert answer not in blind


def test_every_segment_has_its_own_rate(compressor: Compressor) -> None:
    text = (
        f"{PROSE}.\n<llmlingua, rate=0.8>{PROSE}.</llmlingua>\n"
        f"<llmlingua, rate=0.2>{PROSE}.</llmlingua>\n"
        f"<llmlingua, compress=False, rate=0.1>{PROSE}.</llmlingua>"
    )
    found = compress(compressor, text, rate=0.5)
    shares = [
        COUNTER.count(s.text.strip()) / COUNTER.count(s.segment.text.strip())
        for s in found.contexts[0]
        if s.segment.text.strip()
    ]
    assert shares == pytest.approx([0.5, 0.8, 0.2, 1.0], abs=0.04)
    assert found.text.endswith(PROSE + ".")
    assert "llmlingua" not in found.text
    assert found.text.count("\n") == 3
    assert found.tokens_after == COUNTER.count(found.text)
    assert found.tokens_before == COUNTER.count("\n".join([PROSE + "."] * 4))


def test_a_cap_is_shared_by_what_no_tag_decides_about(compressor: Compressor) -> None:
    text = f"{PROSE}.\n<llmlingua, compress=False>Exactly this</llmlingua>\n{PROSE}."
    for cap in (60, 40, 25, 12):
        found = compress(compressor, text, target_tokens=cap)
        assert cap * 0.9 - 1 <= found.tokens_after <= cap
        assert "\nExactly this" in found.text
        assert not found.budget_unmet
    over = compress(compressor, f"<llmlingua, rate=1>{PROSE}</llmlingua>", target_tokens=5)
    assert (over.text, over.budget_unmet) == (PROSE, True)


def test_a_threshold_decides_where_no_tag_does(compressor: Compressor) -> None:
    found = compress(compressor, f"{PROSE}. <llmlingua, rate=1>{PROSE}</llmlingua>", threshold=0.6)
    first, second = found.contexts[0]
    assert {"harbour", "storm", "islands"} <= set(first.text.replace(".", "").split())
    assert "because" not in first.text
    assert second.text == PROSE


def test_contexts_are_filtered_but_for_those_to_leave_alone(compressor: Compressor) -> None:
    contexts = [f"{PROSE}.", "Dull words here.", "<llmlingua, compress=False>Mine</llmlingua>", ""]
    found = compress_structured(
        compressor,
        contexts,
        Settings(rate=1),
        context_filter=ContextFilter(target_contexts=2),
    )
    assert found.survived == (0, 2)
    assert found.text == f"{PROSE}.\n\nMine"
    assert found.contexts[1] == found.contexts[3] == ()


def test_a_words_ends_are_the_segments_ends(compressor: Compressor) -> None:
    text = "over<llmlingua, compress=False>load</llmlingua>ed <llmlingua, rate=1> x </llmlingua>"
    assert "load" in compress(compressor, text, rate=0.3).text
    assert compress(compressor, text, rate=1).text == "overloaded  x "


def test_the_whole_context_is_classified_at_once() -> None:
    classifier = ScriptedClassifier()
    with Compressor(classifier, TOKENIZERS, workers=1) as compressor:
        compress(compressor, f"{PROSE} <llmlingua, rate=0.5>{PROSE}</llmlingua>", rate=0.5)
    assert classifier.encoded == [f"{PROSE} {PROSE}"]


SEGMENTS = st.lists(
    st.tuples(
        st.sampled_from(["", ", compress=False", ", rate=0.4", ", rate=1", None]),
        st.sampled_from([PROSE, " a < b ", "\n", "Not 5 km.\n\n", "日本語の文です。", '{"a": 1} ']),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=80)
@given(SEGMENTS, st.integers(5, 90), st.booleans())
def test_nothing_is_rewritten_and_fixed_segments_are_whole(
    compressor: Compressor, pieces: list[tuple[str | None, str]], cap: int, by_cap: bool
) -> None:
    text = "".join(
        body if tag is None else f"<llmlingua{tag}>{body}</llmlingua>" for tag, body in pieces
    )
    amount = {"target_tokens": cap} if by_cap else {"rate": 0.5}
    found = compress(compressor, text, **amount)
    assert found.tokens_after <= found.tokens_before
    assert found.tokens_after == COUNTER.count(found.text)
    assert found.budget_unmet == (by_cap and found.tokens_after > cap)
    own = found.contexts[0]
    assert [s.segment for s in own] == parse_segments(text)
    for part in own:
        assert part.text == "".join(part.segment.text[s.start : s.end] for s in part.kept)
        if not part.segment.compress or part.segment.rate == 1:
            assert part.text == part.segment.text
    whole = "".join(part.text for part in own)
    assert found.text == (whole if whole.strip() else "")
