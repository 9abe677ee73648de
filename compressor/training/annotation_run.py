"""The annotation of a file: passage after passage, taken up again where it was interrupted."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.evaluation.result_lines import open_to_append, write_lines
from compressor.training.align import WINDOW
from compressor.training.annotate import annotate, content_key, degrees
from compressor.training.annotation_page import annotation_page
from compressor.training.filters import DEFAULT, Sifted, parse_condition, sift
from compressor.training.manifest import write_manifest
from compressor.training.passage import SourcePassage

_KEY = "key"


@dataclass(frozen=True, slots=True)
class AnnotationSettings:
    """How to annotate, and which passages to keep: conditions as `filters` reads them."""

    keep: tuple[str, ...] = DEFAULT
    left_out: tuple[str, ...] = ()
    window: int = WINDOW


@dataclass(frozen=True, slots=True)
class AnnotationRun:
    """What came of it: how many passages there were, those kept, and their words by label."""

    passages: int
    sifted: Sifted
    words: Mapping[str, int]


def annotate_file(
    passages: Sequence[SourcePassage],
    inputs: Sequence[Path],
    out: Path,
    settings: AnnotationSettings,
    advance: Callable[[], None] = lambda: None,
) -> AnnotationRun:
    """Annotate passages and write those that meet the conditions, a report and a manifest.

    `inputs` are the files they were read from, for the manifest. Raises BadCondition before
    anything is done, and OSError.
    """
    conditions = [parse_condition(text) for text in settings.keep]
    lines = annotate_all(passages, work_path(out), window=settings.window, advance=advance)
    sifted = sift(lines, conditions, settings.left_out)
    write_lines(out, sifted.kept)
    out.with_suffix(".report.html").write_text(annotation_page(lines, sifted), encoding="utf-8")
    words = dict(sorted(degrees(sifted.kept).items()))
    write_manifest(
        out,
        "annotate",
        inputs=inputs,
        settings={
            "keep": settings.keep,
            "leave_out_source": settings.left_out,
            "window": settings.window,
        },
        counts={
            "passages": len(lines),
            "kept": len(sifted.kept),
            "dropped": sifted.dropped,
            "words": words,
            "sources": sources(sifted.kept),
        },
    )
    return AnnotationRun(len(lines), sifted, words)


def sources(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each source how many passages it has, and of them by licence and by language."""
    counted: dict[str, dict[str, Any]] = {}
    for source in sorted({line["source"] for line in lines}):
        own = [line for line in lines if line["source"] == source]
        counted[source] = {
            "passages": len(own),
            "licences": Counter(line["licence"] for line in own),
            "languages": Counter(line["lang"] for line in own),
        }
    return counted


def work_path(out: Path) -> Path:
    """Return the file that holds every annotated passage, those that are filtered out too."""
    return out.with_suffix(".work.jsonl")


def annotate_all(
    passages: Sequence[SourcePassage],
    store: Path,
    *,
    window: int,
    advance: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """Return every passage's annotated line: those that `store` has, and the others computed.

    `store` grows by a line at a time, so that an interrupted run loses one passage. A passage whose
    text or shortened form has changed is annotated anew. `advance` is called after each.
    """
    known = _read_store(store)
    lines = []
    with open_to_append(store) as file:
        for passage in passages:
            key = content_key(passage, window)
            line = known.get(key)
            if line is None:
                line = annotate(passage, window=window).as_dict()
                file.write(json.dumps({_KEY: key, **line}, ensure_ascii=False) + "\n")
                file.flush()
            lines.append(line)
            advance()
    return lines


def _read_store(store: Path) -> dict[str, dict[str, Any]]:
    known = {}
    if store.exists():
        with store.open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                try:
                    line = json.loads(text)
                    known[line.pop(_KEY)] = line
                except (ValueError, TypeError, KeyError, AttributeError):
                    continue  # cut off
    return known
