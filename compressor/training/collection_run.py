"""The collection of files into one of passages, and the dropping of what overlaps with others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compressor.evaluation.datasets import DatasetError, read_json_lines, text_field
from compressor.evaluation.result_lines import write_lines
from compressor.training.collect import Collection, CollectSettings, collect
from compressor.training.examples import is_held_out
from compressor.training.manifest import write_manifest
from compressor.training.overlap import RUN, Runs
from compressor.training.texts import Defaults, Fields, Text, read_texts


def collect_files(
    files: Sequence[tuple[Path, str]],
    out: Path,
    settings: CollectSettings,
    fields: Fields,
    defaults: Defaults,
    *,
    against: Sequence[Path] = (),
    advance: Callable[[], None] = lambda: None,
) -> Collection:
    """Write the passages of files, each given with its name, and a manifest.

    Raises DatasetError and OSError; `advance` is called after each file.
    """
    held_out = held_out_runs(against) if against else None

    def texts() -> Iterator[Text]:
        for path, name in files:
            yield from read_texts(path, name, fields, defaults)
            advance()

    found = collect(texts(), settings, held_out=held_out)
    if not found.passages:
        raise DatasetError(
            f"no passage came of {len(files)} files ({found.counts['texts too short']} of "
            f"{found.counts['texts']} texts are shorter than {settings.least} words)"
        )
    write_lines(out, [passage.as_dict() for passage in found.passages])
    write_manifest(
        out,
        "collect",
        inputs=[*(path for path, _ in files), *against],
        settings={**asdict(settings), "fields": asdict(fields), "defaults": asdict(defaults)},
        counts={**found.counts, "passages": len(found.passages), "by source": found.by_source()},
    )
    return found


def drop_overlap(
    passages: Path, out: Path, against: Sequence[Path], *, held_out_only: bool = False
) -> tuple[int, int]:
    """Write the lines of a file that share no run with held-out text; return kept and dropped.

    Raises DatasetError and OSError.
    """
    runs = held_out_runs(against, held_out_only=held_out_only)
    kept: list[Mapping[str, Any]] = []
    dropped = 0
    for where, row in read_json_lines(passages):
        if runs.touches(text_field(row, "text", where)):
            dropped += 1
        else:
            kept.append(row)
    write_lines(out, kept)
    write_manifest(
        out,
        "without-overlap",
        inputs=[passages, *against],
        settings={"words": RUN, "held out only": held_out_only},
        counts={"kept": len(kept), "dropped": dropped},
    )
    return len(kept), dropped


def held_out_runs(paths: Sequence[Path], *, held_out_only: bool = False) -> Runs:
    """Return the runs of the texts in files: `text` and `passages` of every line.

    With `held_out_only` those of documents that training holds out. Takes passages, annotated
    passages and question-answering sets. Raises DatasetError, also where nothing is found.
    """
    runs = Runs()
    texts = 0
    for path in paths:
        for _, row in read_json_lines(path):
            if held_out_only and not is_held_out(str(row.get("doc") or row.get("id"))):
                continue
            listed = row.get("passages")
            for text in (row.get("text"), *(listed if isinstance(listed, list) else ())):
                if isinstance(text, str):
                    runs.add(text)
                    texts += 1
    if not texts:
        named = ", ".join(str(path) for path in paths)
        raise DatasetError(f"{named}: no line has a held-out `text` or `passages`")
    return runs
