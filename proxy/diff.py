"""Shows what compression took out of a text."""

from collections.abc import Iterable

from rich.text import Text

from compressor.types import Span

DROPPED = "dim red strike"


def marked(text: str, kept: Iterable[Span], *, plain: bool = False) -> Text:
    """Return the source with what was dropped struck out; in `[-brackets-]` without colours."""
    shown = Text()
    at = 0
    for span in kept:
        _dropped(shown, text[at : span.start], plain=plain)
        shown.append(text[span.start : span.end])
        at = span.end
    _dropped(shown, text[at:], plain=plain)
    return shown


def _dropped(shown: Text, piece: str, *, plain: bool) -> None:
    words = piece.strip()
    if not words or not plain:
        shown.append(piece, style=DROPPED)
        return
    start = piece.index(words)
    shown.append(f"{piece[:start]}[-{words}-]{piece[start + len(words) :]}")
