"""Passages to labelled passages: a teacher shortens each, lightly and then what is left heavily."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from compressor.evaluation.ask import REASONING_TOKENS, Ask, AskFailed, Prompt, all_at_once
from compressor.training.cut import MOST, cut_chunks
from compressor.training.passage import HEAVY, LIGHT, SINGLE, SourcePassage
from compressor.training.teacher import Rates, cleaned, fault_of, instruction
from compressor.types import TokenCounter

_ROOM = 2  # for an answer, over the tokens of the text: the teacher's tokenizer may be another
_LEAST_TOKENS = 64


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """Which teacher, what it is asked for, and how long a text it is shown at most, in words.

    `two_grades` off asks for the paper's single grade: as short as possible, with no rate.
    """

    model: str
    two_grades: bool = True
    rates: Rates = field(default_factory=Rates)
    most_words: int = MOST
    reasoning: bool = False

    @property
    def grades(self) -> tuple[str, ...]:
        """The grades that are asked for, in order."""
        return (LIGHT, HEAVY) if self.two_grades else (SINGLE,)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A passage with its shortened texts, flagged where something is wrong with them.

    `passage` is None where the endpoint gave no answer; `unanswered` then says why.
    """

    passage: SourcePassage | None
    unanswered: str | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """What is wrong with the shortened texts, by grade."""
        return () if self.passage is None else self.passage.flags

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the labelled passage's line."""
        if self.passage is None:
            raise ValueError("a passage without an answer has no line")
        return self.passage.as_dict()


class Teacher:
    """Asks for shortened texts. An answer that is no deletion is asked for once more."""

    def __init__(self, ask: Ask, counter: TokenCounter, settings: LabelSettings) -> None:
        self._ask = ask
        self._counter = counter
        self._settings = settings

    async def label(self, passage: SourcePassage) -> Labelled:
        """Return the passage with every grade. Raises AskRefused."""
        shortened: dict[str, str] = {}
        flags: list[str] = []
        text = passage.text
        try:
            for grade in self._settings.grades:
                text, faults = await self._shorten(text, grade)
                shortened[grade] = text
                flags += [f"{grade}: {fault}" for fault in faults]
        except AskFailed as error:
            return Labelled(None, unanswered=str(error))
        return Labelled(replace(passage, shortened=shortened, flags=tuple(flags)))

    async def _shorten(self, text: str, grade: str) -> tuple[str, list[str]]:
        """Return the shortened text, and what is wrong with it still after the second try."""
        answers: list[str] = []
        faults: list[str] = []
        at = 0
        for start, end in cut_chunks(text, self._settings.most_words):
            answer, fault = await self._shorten_chunk(text[start:end], grade)
            answers += [text[at:start] if answers else "", answer]
            faults += [fault] if fault is not None else []
            at = end
        return "".join(answers).strip(), faults

    async def _shorten_chunk(self, text: str, grade: str) -> tuple[str, str | None]:
        answer, fault = await self._asked(text, grade, None)
        if fault is not None:
            second, still = await self._asked(text, grade, fault)
            if still is None or second:
                answer, fault = second, still
        return answer, fault

    async def _asked(self, text: str, grade: str, fault: str | None) -> tuple[str, str | None]:
        prompt = self.prompt(text, grade, fault)
        reply = await self._ask(prompt)
        answer = cleaned(reply.text)
        if reply.cut or (reply.completion_tokens or 0) >= prompt.max_tokens:
            return answer, "the answer was too long and broke off."
        return answer, await asyncio.to_thread(fault_of, text, answer)

    def prompt(self, text: str, grade: str, fault: str | None = None) -> Prompt:
        """Return what is asked for one grade of one text."""
        settings = self._settings
        room = max(_LEAST_TOKENS, self._counter.count(text) * _ROOM)
        return Prompt(
            settings.model,
            instruction(text, grade, settings.rates, fault),
            room + (REASONING_TOKENS if settings.reasoning else 0),
        )


async def label_all(
    passages: Sequence[SourcePassage],
    teacher: Teacher,
    advance: Callable[[], None] = lambda: None,
) -> list[Labelled]:
    """Label every passage, in their order. Raises AskRefused, which ends all."""

    async def one(passage: SourcePassage) -> Labelled:
        labelled = await teacher.label(passage)
        advance()
        return labelled

    return await all_at_once(one(passage) for passage in passages)
