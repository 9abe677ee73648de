"""Cuts a document into passages, at the ends of paragraphs and sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compressor.structure import GAP_PARAGRAPH, read_structure
from compressor.words import split_words

LEAST, MOST = 90, 300  # words of a passage, punctuation not counted

_FENCE = re.compile(r"^[ \t]*(```|~~~).*?^[ \t]*\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or as much of one as fits into a passage: offsets, and words without marks."""

    start: int
    end: int
    words: int
    opens: bool  # whether a paragraph begins with it
    heading: bool  # a heading of markdown: belongs to what follows


def cut_passages(text: str, *, least: int = LEAST, most: int = MOST) -> list[str]:
    """Return the passages of a document, each a slice of it; what is too short is left out.

    A passage ends where a paragraph does, if enough of it stands before that, else at the end of a
    sentence. A rest shorter than `least` goes to the passage before it or shares it evenly.
    """
    runs = _filled(read_pieces(text, most), least, most)
    if len(runs) > 1 and _size(runs[-1]) < least:
        runs[-2:] = _shared(runs[-2] + runs[-1], most)
    return [text[run[0].start : run[-1].end] for run in runs if run and least <= _size(run) <= most]


def cut_chunks(text: str, most: int) -> list[tuple[int, int]]:
    """Return the ranges of a text's chunks, each as many whole sentences as `most` words allow.

    Between them stands white space alone, so that nothing of the text is outside.
    """
    runs = _filled(read_pieces(text, most), 1, most)
    return [(run[0].start, run[-1].end) for run in runs if run]


def read_pieces(text: str, most: int) -> list[Piece]:
    """Return the sentences of a text in order; a fenced block is one where it is short enough."""
    words = split_words(text)
    if not words:
        return []
    structure = read_structure(text, words)
    begins = np.ones(len(words), np.bool_)
    begins[1:] = structure.sentence[1:] != structure.sentence[:-1]
    for fence in _FENCE.finditer(text):
        begins[(structure.starts > fence.start()) & (structure.starts < fence.end())] = False
    pieces = []
    firsts = np.flatnonzero(begins).tolist()
    for first, end in zip(firsts, [*firsts[1:], len(words)], strict=True):
        for part in _bounded(first, end, structure.mark[first:end].tolist(), most):
            counted = int((~structure.mark[part[0] : part[1]]).sum())
            opens = part[0] == 0 or structure.gap[part[0]] == GAP_PARAGRAPH
            start, stop = words[part[0]].start, words[part[1] - 1].end
            pieces.append(Piece(start, stop, counted, bool(opens), text[start] == "#"))
    return pieces


def _bounded(first: int, end: int, marks: Sequence[bool], most: int) -> list[tuple[int, int]]:
    """Cut a sentence that is longer than a passage after every `most` words."""
    parts, start, counted = [], first, 0
    for index, mark in enumerate(marks, first):
        counted += not mark
        if counted > most:
            parts.append((start, index))
            start, counted = index, 1
    return [*parts, (start, end)]


def _filled(pieces: Sequence[Piece], least: int, most: int) -> list[list[Piece]]:
    """Fill passages one after the other, and close each at the best place before it is too long."""
    runs: list[list[Piece]] = []
    run: list[Piece] = []
    for piece in pieces:
        if run and _size(run) + piece.words > most:
            stop = _before_headings(run, _best_end(run, piece.opens, least))
            runs.append(run[:stop])
            run = run[stop:]
            if run and _size(run) + piece.words > most:
                runs.append(run)
                run = []
        run.append(piece)
    return [*runs, run] if run else runs


def _best_end(run: Sequence[Piece], next_opens: bool, least: int) -> int:
    if next_opens:
        return len(run)
    for stop in range(len(run) - 1, 0, -1):
        if run[stop].opens and _size(run[:stop]) >= least:
            return stop
    return len(run)


def _before_headings(run: Sequence[Piece], stop: int) -> int:
    """Return the end before the headings that stand there; `stop` where nothing else does."""
    end = stop
    while end and run[end - 1].heading:
        end -= 1
    return end or stop


def _shared(pieces: Sequence[Piece], most: int) -> list[list[Piece]]:
    """Return one passage where all fits, else two as even as sentences allow."""
    total = _size(pieces)
    if total <= most:
        return [list(pieces)]
    sums = np.cumsum([piece.words for piece in pieces])
    stop = int(np.abs(2 * sums[:-1] - total).argmin()) + 1
    return [list(pieces[:stop]), list(pieces[stop:])]


def _size(run: Sequence[Piece]) -> int:
    return sum(piece.words for piece in run)
