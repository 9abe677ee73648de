"""`tersely compress`: a text in, a shorter one out; a filter for files and pipes."""

import json
import sys
from concurrent.futures import wait
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from compressor.types import CompressionResult, Settings

if TYPE_CHECKING:
    from compressor.engine import Draft, SettingsFields
    from compressor.tokens import EncodingChoice

_STEP_SECONDS = 0.1
_LONG_TEXT = 20_000  # characters; more takes about a second
_UNUSABLE = 2
# Of one character's bytes each may be a classifier token; there is no other text to wait for.
_TOKENS_A_CHARACTER = 4
_STANDARD = Path("-")

ThresholdOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|NAME",
        help="Keep words whose keep probability is above this: 0 to 1, or a name from the "
        "classifier's calibration, like balanced.",
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        help="The target model, whose tokens are counted, or the path of its tokenizer.json."
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        help="Write a page that shows every word, kept or dropped, and why; with -, to standard "
        "output in the place of the text.",
    ),
]


def compress(  # noqa: PLR0917 - typer reads the options off the signature
    file: Annotated[
        Path | None, typer.Argument(help="Text file, UTF-8; without it, or with -, standard input.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Tokens kept / tokens before. 0.5 unless another is given.")
    ] = None,
    threshold: ThresholdOption = None,
    target_tokens: Annotated[
        int | None, typer.Option(help="At most this many tokens of the target model.")
    ] = None,
    model: ModelOption = "gpt-4o",
    force_token: Annotated[
        list[str] | None, typer.Option(help="A word or phrase to keep always; may be repeated.")
    ] = None,
    classifier: Annotated[
        str, typer.Option(help="`bundled`, `bundled-fast`, a folder, or a hub name (torch extra).")
    ] = "bundled",
    question: Annotated[
        str | None, typer.Option(help="Give more of the budget to what bears on this question.")
    ] = None,
    json_prose: Annotated[
        bool, typer.Option("--json-prose", help="Also shorten long prose in JSON strings.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text with dropped words.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Text, counts and kept spans.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="With --json: every word, its probability and the reason."),
    ] = False,
    html: HtmlOption = None,
) -> None:
    """Shorten a text by dropping the words that matter least."""
    if rate is None and threshold is None and target_tokens is None:
        rate = 0.5
    _check_output(file, html, explain=explain, diff=diff, as_json=as_json)
    if not all(force_token or ()):
        raise _refusal("--force-token is empty: give a word or a phrase")
    text = _read(file)
    result, counted = _compressed(
        text,
        {
            "rate": rate,
            "threshold": None if threshold is None else _number_or_name(threshold),
            "target_tokens": target_tokens,
            "force_tokens": tuple(force_token or ()),
            "question": question,
            "json_prose": json_prose,
        },
        model=model,
        classifier=classifier,
        explain=explain or html is not None,
    )
    if html is not None:
        _write_page(html, text, result)
    if html != _STANDARD:
        _write(text, result, counted, diff=diff, as_json=as_json)


def _check_output(
    file: Path | None, html: Path | None, *, explain: bool, diff: bool, as_json: bool
) -> None:
    if explain and not as_json:
        raise _refusal("--explain says more in --json: give both, or --html FILE for a page")
    if diff and as_json:
        raise _refusal("--diff and --json are two forms of the result: give one of them")
    if html == _STANDARD:
        if diff or as_json:
            other = "--diff" if diff else "--json"
            raise _refusal(f"--html - and {other} both go to standard output: give one of them")
        return
    if html is not None and file is not None and html.resolve() == file.resolve():
        raise _refusal(f"--html would write over the text itself: {file}")


def _compressed(
    text: str, options: "SettingsFields", *, model: str, classifier: str, explain: bool
) -> tuple[CompressionResult, "EncodingChoice"]:
    """Return the result, and what its tokens were counted with."""
    # the model runtimes take most of a second to import: not for `--help`
    from compressor.classifier.base import ClassifierUnavailable  # noqa: PLC0415
    from compressor.engine import Compressor, Plain  # noqa: PLC0415
    from compressor.pool import Overloaded  # noqa: PLC0415
    from compressor.tokens import Tokenizers  # noqa: PLC0415

    tokenizers = Tokenizers({model: model} if model.endswith(".json") else None)
    errors = Console(stderr=True)
    try:
        counted = tokenizers.for_model(model)
        options["encoding"] = counted.encoding
        settings = Settings(**options)
        room = max(1, len(text)) * _TOKENS_A_CHARACTER
        with Compressor(
            tokenizers=tokenizers, name=classifier, max_queued_tokens=room
        ) as compressor:
            draft = compressor.begin(text, settings, explain=explain)
            if not isinstance(draft, Plain) and len(text) > _LONG_TEXT and errors.is_terminal:
                _show_progress(draft, errors)
            return draft.finish(), counted
    except (ValueError, ClassifierUnavailable, Overloaded) as error:
        raise _refusal(str(error)) from None


def _number_or_name(threshold: str) -> float | str:
    try:
        return float(threshold)
    except ValueError:
        return threshold


def _show_progress(draft: "Draft", errors: Console) -> None:
    """Show how much of the text the classifier has read, until it has read all of it."""
    done, total = draft.progress
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Compressing", total=total)
        while not draft.pending.done():
            wait([draft.pending], timeout=_STEP_SECONDS)
            done, total = draft.progress
            progress.update(task, completed=done)


def _write_page(path: Path, text: str, result: CompressionResult) -> None:
    from proxy.explained_page import page  # noqa: PLC0415 - only this output needs it

    if path == _STANDARD:
        _put(page(text, result))
        return
    try:
        path.write_text(page(text, result), "utf-8", errors="replace")
    except OSError as error:
        raise _refusal(f"cannot write {path}: {error.strerror}") from None
    typer.echo(f"wrote {path}", err=True)


def _read(file: Path | None) -> str:
    try:
        if file is not None and str(file) != "-":
            return file.read_bytes().decode("utf-8")
        if sys.stdin is None:
            raise _refusal("cannot read the text: standard input is closed")
        return sys.stdin.buffer.read().decode("utf-8")
    except OSError as error:
        raise _refusal(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _refusal(f"the text is not UTF-8: byte {error.start} cannot be read") from None


def _write(
    text: str, result: CompressionResult, counted: "EncodingChoice", *, diff: bool, as_json: bool
) -> None:
    if as_json:
        document = asdict(result) | {
            "rate": result.rate,
            "encoding": counted.encoding,
            "tokens_estimated": counted.estimated,
        }
        if not result.words:
            del document["words"]
        _put(json.dumps(document, ensure_ascii=False) + "\n")
        return
    if diff:
        _write_diff(text, result)
    else:
        _put(result.text)
        if sys.stdout.isatty() and not result.text.endswith("\n"):
            typer.echo(err=True)  # the summary would stand in the text's last line
    if diff or sys.stderr.isatty():
        typer.echo(_summary(result, counted), err=True)


def _write_diff(text: str, result: CompressionResult) -> None:
    from proxy.diff import bracketed, marked  # noqa: PLC0415 - only this output needs it

    console = Console(soft_wrap=True, highlight=False)
    end = "" if text.endswith("\n") else "\n"
    if console.color_system is not None and not console.no_color:
        console.print(marked(text, result.kept), end=end)
    else:  # not by the console, which spaces out tabs and leaves carriage returns out
        _put(bracketed(text, result.kept) + end)


def _put(text: str) -> None:
    """Write to standard output as UTF-8 and unaltered, whatever a terminal's encoding is."""
    if sys.stdout is None:
        raise _refusal("cannot write the result: standard output is closed")
    try:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # which typer knows
    except OSError as error:
        raise _refusal(f"cannot write the result: {error.strerror}") from None


def _summary(result: CompressionResult, counted: "EncodingChoice") -> str:
    saved = result.tokens_before - result.tokens_after
    summary = f"{result.tokens_before} -> {result.tokens_after} tokens, {saved} saved"
    if result.unchanged:
        summary += f" ({result.unchanged})"
    if result.budget_unmet:
        summary += "; the budget is not met: what is protected takes more"
    if counted.estimated:
        summary += f"; counted with {counted.encoding}, since the model's own tokens are not known"
    return summary


def _refusal(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(_UNUSABLE)
