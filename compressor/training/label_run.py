"""The labelling of a file: what is asked, what came back, and what is written."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compressor.evaluation.ask import AskRefused, PatientAsk
from compressor.evaluation.result_lines import write_lines
from compressor.training.label import Labelled, LabelSettings, Teacher, label_all
from compressor.training.manifest import write_manifest
from compressor.training.passage import SourcePassage
from compressor.types import TokenCounter


@dataclass(frozen=True, slots=True)
class LabelRun:
    """How many passages were labelled and how many of those flagged, and those without an answer.

    `flags` counts what was wrong, without the words it was wrong about.
    """

    labelled: int
    flagged: int
    unanswered: tuple[str, ...]
    flags: Mapping[str, int]


def replies_path(out: Path) -> Path:
    """Return the file that keeps every answer: passages.jsonl -> passages.replies.jsonl."""
    return out.with_suffix(".replies.jsonl")


async def label_file(
    passages: Sequence[SourcePassage],
    given: Path,
    out: Path,
    ask: PatientAsk,
    counter: TokenCounter,
    settings: LabelSettings,
    endpoint: str,
    advance: Callable[[], None] = lambda: None,
) -> LabelRun:
    """Label the passages read from `given`, and write them and a manifest.

    Passages without an answer are not written: a later run asks for them again. `endpoint` is the
    address for the manifest. Raises AskRefused, also where no passage at all got an answer, and
    OSError; answers that came before are kept.
    """
    found = await label_all(passages, Teacher(ask, counter, settings), advance)
    run = _counted(found)
    if run.unanswered and not run.labelled:
        raise AskRefused(
            f"none of the {len(found):,} passages got an answer; the first: {run.unanswered[0]}"
        )
    write_lines(out, [labelled.as_dict() for labelled in found if labelled.passage is not None])
    totals = ask.totals
    write_manifest(
        out,
        "label",
        inputs=[given],
        settings={
            "model": settings.model,
            "endpoint": endpoint,
            "grades": settings.grades,
            "light": settings.rates.light,
            "heavy": settings.rates.heavy,
            "most words at once": settings.most_words,
        },
        counts={
            "labelled": run.labelled,
            "flagged": run.flagged,
            "unanswered": len(run.unanswered),
            "flags": run.flags,
            "new replies": totals.asked,
            "replies from disk": totals.cached,
            "prompt tokens": totals.prompt_tokens,
            "completion tokens": totals.completion_tokens,
        },
    )
    return run


def _counted(found: Sequence[Labelled]) -> LabelRun:
    flags = Counter(flag.partition(": '")[0] for labelled in found for flag in labelled.flags)
    return LabelRun(
        sum(labelled.passage is not None for labelled in found),
        sum(bool(labelled.flags) for labelled in found),
        tuple(labelled.unanswered for labelled in found if labelled.unanswered is not None),
        dict(flags),
    )
