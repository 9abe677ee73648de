"""Shows what compression took out of a text."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from compressor.types import Span

DROPPED = "dim red strike"


def marked(text: str, kept: Iterable[Span]) -> Text:
    """Return the source with what was dropped struck out, for a terminal."""
    shown = Text()
    for piece, stays in _pieces(text, kept):
        shown.append(piece, style="" if stays else DROPPED)
    return shown


def bracketed(text: str, kept: Iterable[Span]) -> str:
    """Return the source with what was dropped in `[-brackets-]`."""
    return "".join(p if stays else _in_brackets(p) for p, stays in _pieces(text, kept))


def _pieces(text: str, kept: Iterable[Span]) -> Iterator[tuple[str, bool]]:
    """Yield the whole source piece by piece, with whether each was kept."""
    at = 0
    for span in kept:
        yield text[at : span.start], False
        yield text[span.start : span.end], True
        at = span.end
    yield text[at:], False


def _in_brackets(piece: str) -> str:
    words = piece.strip()
    if not words:
        return piece
    start = piece.index(words)
    return f"{piece[:start]}[-{words}-]{piece[start + len(words) :]}"
