"""What labelling will cost, before anything is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from compressor.evaluation.ask import Ask, AskFailed, Prompt
from compressor.training.cut import cut_chunks
from compressor.training.label import LabelSettings, Teacher
from compressor.training.passage import SourcePassage
from compressor.types import TokenCounter

_PAPER_RATE = 0.4  # what LLMLingua-2's teacher kept with no rate given: 1 / 2.57


@dataclass(frozen=True, slots=True)
class Estimate:
    """Requests that are not answered on disk yet, and their tokens, answers guessed by the rates.

    Second tries and a reasoning model's own tokens are not in it.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int

    def dollars(self, per_million_in: float, per_million_out: float) -> float:
        """Return what that costs at these prices."""
        tokens = self.prompt_tokens * per_million_in + self.completion_tokens * per_million_out
        return tokens / 1e6


async def estimate(
    passages: Sequence[SourcePassage],
    settings: LabelSettings,
    counter: TokenCounter,
    on_disk: Ask,
) -> Estimate:
    """Estimate the run; a passage whose answers are all `on_disk` costs nothing.

    The heavy grade is asked of the light one's answer, which may not be there yet: of the text, cut
    to the light rate.
    """
    teacher = Teacher(on_disk, counter, settings)
    requests = prompted = completed = 0
    for passage in passages:
        if (await teacher.label(passage)).passage is not None:
            continue
        chunks = [passage.text[s:e] for s, e in cut_chunks(passage.text, settings.most_words)]
        for text in chunks:
            first = teacher.prompt(text, settings.grades[0])
            tokens = counter.count(text)
            around = counter.count(first.text) - tokens
            light = int(tokens * settings.rates.light)
            if not await _answered(first, on_disk):
                requests += 1
                prompted += around + tokens
                completed += light if settings.two_grades else int(tokens * _PAPER_RATE)
            if settings.two_grades:
                requests += 1
                prompted += around + light
                completed += int(tokens * settings.rates.heavy)
    return Estimate(requests, prompted, completed)


async def _answered(prompt: Prompt, on_disk: Ask) -> bool:
    try:
        await on_disk(prompt)
    except AskFailed:
        return False
    return True
