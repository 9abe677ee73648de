"""`tersely distill label`: a teacher shortens every passage."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.distill_collect import refuse_same
from proxy.commands.evaluate import progress, refusals
from proxy.commands.model_endpoint import (
    TIMEOUT_SECONDS,
    TRIES,
    ApiKeyEnv,
    Concurrency,
    PriceIn,
    PriceOut,
    Reasoning,
    Timeout,
    Tries,
    endpoint_at,
)
from proxy.prices import PriceTable

if TYPE_CHECKING:
    from compressor.evaluation.ask import PatientAsk
    from compressor.training.label import LabelSettings
    from compressor.training.label_cost import Estimate
    from compressor.training.label_run import LabelRun
    from compressor.training.passage import SourcePassage
    from proxy.commands.model_endpoint import ModelEndpoint


class Grades(StrEnum):
    """How many shortened texts a passage gets."""

    TWO = "two"
    ONE = "one"


TeacherUrl = Annotated[
    str | None,
    typer.Option(
        help="An OpenAI-compatible API, like https://api.openai.com/v1; without, the model's "
        "provider is asked through litellm, with the litellm extra."
    ),
]
GradesAsked = Annotated[
    Grades,
    typer.Option(
        help="Shortened texts for each passage. `two`: a light and a heavy one, for three degrees "
        "of importance; `one`: as short as the teacher can, as in the LLMLingua-2 paper."
    ),
]
LightRate = Annotated[
    float,
    typer.Option(
        "--light",
        min=0.05,
        max=0.95,
        help="With two grades: about what share of a passage's words the light one is to keep.",
    ),
]
HeavyRate = Annotated[
    float,
    typer.Option(
        "--heavy",
        min=0.02,
        max=0.9,
        help="With two grades: what share the heavy one is to keep, of all the passage's words; "
        "less than --light.",
    ),
]
MostWords = Annotated[
    int,
    typer.Option(
        min=20, help="Passages of more words are shown to the teacher in chunks of sentences."
    ),
]


def label(  # noqa: PLR0917 - typer reads the options off the signature
    passages: Annotated[
        Path,
        typer.Argument(metavar="IN.jsonl", help="What `tersely distill collect` wrote: passages."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Labelled passages to write.")],
    model: Annotated[
        str,
        typer.Option(help="The teacher; without --base-url as litellm names it, PROVIDER/MODEL."),
    ],
    base_url: TeacherUrl = None,
    api_key_env: ApiKeyEnv = None,
    grades: GradesAsked = Grades.TWO,
    light: LightRate = 0.6,
    heavy: HeavyRate = 0.3,
    most_words: MostWords = 300,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N passages.")] = None,
    concurrency: Concurrency = 8,
    timeout: Timeout = TIMEOUT_SECONDS,
    tries: Tries = TRIES,
    reasoning: Reasoning = False,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before spending money.")] = False,
) -> None:
    """Let a language model, the teacher, shorten every passage by crossing words out.

    Says first what that will cost, from the prices given or litellm's table, and asks whether to go
    on. Answers are kept in OUT.replies.jsonl by content, so that a run which was interrupted goes
    on where it was and a repeated one costs nothing. An answer that is not made by crossing out is
    asked for once more; if it still is not, the passage gets `flags`, and `tersely distill
    annotate` will drop it.
    """
    with refusals():
        from compressor.evaluation.result_lines import require_writable  # noqa: PLC0415
        from compressor.training.label import LabelSettings  # noqa: PLC0415
        from compressor.training.manifest import manifest_path  # noqa: PLC0415
        from compressor.training.passage import read_passages  # noqa: PLC0415
        from compressor.training.teacher import Rates  # noqa: PLC0415

        if grades is Grades.TWO and heavy >= light:
            raise typer.BadParameter(f"{heavy} is not under --light {light}", param_hint="--heavy")
        refuse_same(passages, out)
        require_writable(out, manifest_path(out))
        found = PriceTable({}).per_million(model)
        if found is not None and price_in is None and price_out is None:
            price_in, price_out, source = found
            typer.echo(f"Prices from {source}: {price_in:g} and {price_out:g} dollars per million")
        endpoint = endpoint_at(
            *(base_url, api_key_env, concurrency, reasoning, price_in, price_out),
            model=model,
            timeout=timeout,
            tries=tries,
        )
        settings = LabelSettings(
            model, grades is Grades.TWO, Rates(light, heavy), most_words, reasoning
        )
        _run(endpoint, list(read_passages(passages))[:limit], passages, out, settings, yes)


def _run(
    endpoint: "ModelEndpoint",
    passages: Sequence["SourcePassage"],
    given: Path,
    out: Path,
    settings: "LabelSettings",
    yes: bool,
) -> None:
    from compressor.tokens import Tokenizers  # noqa: PLC0415
    from compressor.training.label_cost import estimate  # noqa: PLC0415
    from compressor.training.label_run import label_file, replies_path  # noqa: PLC0415

    tokenizers = Tokenizers()
    counter = tokenizers.counter(tokenizers.for_model(settings.model).encoding)

    async def work(ask: "PatientAsk") -> "LabelRun":
        cost = await estimate(passages, settings, counter, ask.on_disk)
        _confirm(cost, endpoint, len(passages), yes)
        with progress("labelling", len(passages)) as advance:
            return await label_file(
                *(passages, given, out, ask, counter, settings, endpoint.config.where),
                advance=lambda: advance(f"labelling{_spent(ask, endpoint)}"),
            )

    run = endpoint.run(replies_path(out), work)
    typer.echo(f"{run.labelled:,} of {len(passages):,} passages labelled in {out}")
    if run.flagged:
        flags = ", ".join(f"{count:,} x {flag}" for flag, count in run.flags.items())
        typer.echo(f"{run.flagged:,} of them are flagged: {flags}", err=True)
    if run.unanswered:
        typer.echo(
            f"{len(run.unanswered):,} passages got no answer and are not in it; the same command "
            f"asks for them again. The first: {run.unanswered[0]}",
            err=True,
        )


def _confirm(cost: "Estimate", endpoint: "ModelEndpoint", passages: int, yes: bool) -> None:
    """Say what is about to be asked and ask whether to. Raises Abort, Exit."""
    if not cost.requests:
        typer.echo(f"All answers for {passages:,} passages are on disk", err=True)
        return
    price_in, price_out = endpoint.price_in, endpoint.price_out
    dollars = (
        "at a price that is not known (--price-in, --price-out)"
        if price_in is None or price_out is None
        else f"about {cost.dollars(price_in, price_out):.2f} US dollars"
    )
    typer.echo(
        f"{passages:,} passages, {cost.requests:,} requests to {endpoint.config.where}: about "
        f"{cost.prompt_tokens:,} prompt and {cost.completion_tokens:,} completion tokens, "
        f"{dollars}",
        err=True,
    )
    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo("Error: there is nobody to ask whether to go on; say so with --yes", err=True)
        raise typer.Exit(2)
    typer.confirm("Go on?", abort=True, err=True)


def _spent(ask: "PatientAsk", endpoint: "ModelEndpoint") -> str:
    if endpoint.price_in is None or endpoint.price_out is None:
        return ""
    return f", {ask.totals.dollars(endpoint.price_in, endpoint.price_out):.2f} US dollars"
