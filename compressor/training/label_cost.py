"""What labelling will cost, before anything is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compressor.evaluation.ask import Prompt
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


def estimate(
    passages: Sequence[SourcePassage],
    teacher: Teacher,
    settings: LabelSettings,
    counter: TokenCounter,
    known: Callable[[Prompt], bool],
) -> Estimate:
    """Estimate the run; a passage whose first answer is `known` is taken to be done.

    The heavy grade is asked of the light one's answer, which is not there yet: of the text, cut to
    the light rate.
    """
    requests = prompted = completed = 0
    for passage in passages:
        chunks = [passage.text[s:e] for s, e in cut_chunks(passage.text, settings.most_words)]
        for text in chunks:
            first = teacher.prompt(text, settings.grades[0])
            if known(first):
                continue
            tokens = counter.count(text)
            around = counter.count(first.text) - tokens
            requests += len(settings.grades)
            prompted += around + tokens
            if settings.two_grades:
                light = int(tokens * settings.rates.light)
                prompted += around + light
                completed += light + int(tokens * settings.rates.heavy)
            else:
                completed += int(tokens * _PAPER_RATE)
    return Estimate(requests, prompted, completed)
