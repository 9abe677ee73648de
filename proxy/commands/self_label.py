"""`tersely distill self-label`: labels from a classifier and from answers, without a teacher."""

from collections.abc import Iterator, Set
from pathlib import Path
from typing import Annotated, Any

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import progress, refusals

MODEL = Annotated[
    str,
    typer.Option("--classifier", help="A folder, a name on the hub, `bundled` or `bundled-fast`."),
]
WEIGHT = Annotated[
    float,
    typer.Option(min=0, help="How much a word counts in training, beside one of a teacher's: 1."),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Take so many passages, drawn evenly from the whole file.")
]
Languages = Annotated[
    list[str] | None, typer.Option(help="Take this language only; may be repeated.")
]
AskedAbout = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="QUESTIONS.jsonl",
        help="Take passages that these questions (`id`, `question`, `answer`) are about only; of a "
        "question set the gold passages and these.",
    ),
]


def self_label(
    given: Annotated[
        Path,
        typer.Argument(
            metavar="IN.jsonl",
            help="Passages (`id`, `text`, …); or questions with `passages`, `gold` and `answers`, "
            "of which the gold passages are taken and the answers' words labelled as kept.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Annotated passages to write.")],
    *,
    model: MODEL = "bundled",
    weight: WEIGHT = 0.5,
    limit: Limit = None,
    lang: Languages = None,
    asked: AskedAbout = None,
) -> None:
    """Label passages with a classifier's own keep probabilities, for self-training.

    What `tersely train` takes beside a teacher's labels: more text and other languages than a
    teacher was paid for, and words that answer somebody's question.
    """
    with refusals():
        from compressor.classifier.registry import load_classifier  # noqa: PLC0415
        from compressor.evaluation.result_lines import write_lines  # noqa: PLC0415
        from compressor.training.manifest import write_manifest  # noqa: PLC0415
        from compressor.training.questions import read_questions  # noqa: PLC0415
        from compressor.training.self_training import self_labelled  # noqa: PLC0415

        refuse_same(given, out)
        about = {question.passage for path in asked or () for question in read_questions(path)}
        rows = [row for row in _rows(given, about) if not lang or row.get("lang") in lang]
        if limit is not None and limit < len(rows):
            rows = [rows[i * len(rows) // limit] for i in range(limit)]
        classifier = load_classifier(model)
        lines = []
        with progress("labelling", len(rows)) as advance:
            for row in rows:
                lines.append(self_labelled(row, classifier, weight, row.get("answers", ())))
                advance()
        write_lines(out, lines)
        write_manifest(
            out,
            "self-label",
            inputs=[given, *(asked or ())],
            settings={
                "classifier": classifier.revision,
                "weight": weight,
                "limit": limit,
                "lang": lang or [],
            },
            counts={"passages": len(lines), "words": sum(len(line["words"]) for line in lines)},
        )
    typer.echo(f"{len(lines):,} passages written to {out}")


def _rows(path: Path, about: Set[str]) -> Iterator[dict[str, Any]]:
    """Yield the fields of every passage; those of a question set with the set's name as source.

    `about` are the ids of passages to take only or, of a question set, in addition.
    """
    from compressor.training.passage import read_passages  # noqa: PLC0415
    from compressor.training.self_training import answered_passages, holds_passages  # noqa: PLC0415

    if holds_passages(path):
        for passage in answered_passages(path, about):
            yield {
                "id": passage.id,
                "source": path.stem,
                "doc": f"{path.stem}/{passage.id}",
                "text": passage.text,
                "answers": passage.answers,
            }
        return
    for read in read_passages(path):
        if not about or read.id in about:
            yield read.as_dict()
