"""The detector measured on prompts labelled by hand: `+` must survive, `@` is a document."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.question import prompt_spans
from compressor.types import Kind, ProtectedSpan

LABELLED = Path(__file__).parent / "labelled"
# The levels that the documentation states; a change that lowers one has to say so.
RECALL, PRECISION = 0.98, 0.85


@dataclass(frozen=True)
class Prompt:
    id: str
    lang: str
    text: str
    wanted: tuple[tuple[int, int], ...]


def read_lines(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (LABELLED / name).read_text("utf-8").splitlines()]


@cache
def prompts() -> list[Prompt]:
    documents = {str(d["name"]): str(d["text"]) for d in read_lines("documents.jsonl")}
    found = []
    for line in read_lines("prompts.jsonl"):
        text, wanted = "", []
        parts = line["parts"]
        assert isinstance(parts, list)
        for part in parts:
            text += "\n\n" if text else ""
            body = documents[part[1:]] if part[0] == "@" else part[1:]
            if part[0] == "+":
                wanted.append((len(text), len(text) + len(body)))
            text += body
        found.append(Prompt(str(line["id"]), str(line["lang"]), text, tuple(wanted)))
    return found


def covered(text: str, spans: list[ProtectedSpan]) -> set[int]:
    return {i for s in spans for i in range(s.start, s.end) if not text[i].isspace()}


def measure(chosen: list[Prompt]) -> tuple[float, float, list[str], list[str]]:
    """Return recall over labelled stretches, precision over characters, and what went wrong."""
    hit = wanted = right = kept = 0
    missed, extra = [], []
    for prompt in chosen:
        found = covered(prompt.text, prompt_spans(prompt.text, []))
        labelled = {i for a, b in prompt.wanted for i in range(a, b)}
        for start, end in prompt.wanted:
            whole = {i for i in range(start, end) if not prompt.text[i].isspace()} <= found
            hit, wanted = hit + whole, wanted + 1
            if not whole:
                missed.append(f"{prompt.id}: {prompt.text[start:end]!r}")
        right, kept = right + len(found & labelled), kept + len(found)
        if found - labelled:
            stray = [
                prompt.text[s.start : s.end]
                for s in prompt_spans(prompt.text, [])
                if not set(range(s.start, s.end)) & labelled
            ]
            extra.append(f"{prompt.id}: {stray}")
    return hit / max(1, wanted), right / max(1, kept), missed, extra


def test_the_labelled_set_is_large_and_in_several_languages() -> None:
    assert len(prompts()) >= 150
    assert {p.lang for p in prompts()} >= {"en", "de", "fr", "es", "ja", "zh"}


def test_instructions_and_questions_are_found() -> None:
    recall, _, missed, _ = measure(prompts())
    assert recall >= RECALL, missed


def test_little_else_is_taken_for_one() -> None:
    _, precision, _, extra = measure(prompts())
    assert precision >= PRECISION, extra


@pytest.mark.parametrize("lang", ["de", "fr", "es", "ja", "zh"])
def test_other_languages_are_found_too(lang: str) -> None:
    recall, _, missed, _ = measure([p for p in prompts() if p.lang == lang])
    assert recall >= 0.9, missed


def test_plain_documents_are_left_to_the_budget() -> None:
    plain = [p for p in prompts() if not p.wanted]
    assert len(plain) >= 12
    for prompt in plain:
        share = len(covered(prompt.text, prompt_spans(prompt.text, []))) / len(prompt.text)
        assert share < 0.15, prompt.text[:60]


def test_what_blocks_hold_is_no_instruction() -> None:
    text = "```\nSummarize the text below.\n```\n\nWhat does the code print?"
    block = ProtectedSpan(0, text.index("\n\n"), Kind.CODE)
    [span] = prompt_spans(text, [block])
    assert text[span.start : span.end] == "What does the code print?"
    assert span.kind is Kind.QUESTION


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters() | st.sampled_from(' \n?.:-#*"Write'), max_size=400))
def test_spans_ascend_within_any_text(text: str) -> None:
    at = 0
    for span in prompt_spans(text, []):
        assert at <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        at = span.end
