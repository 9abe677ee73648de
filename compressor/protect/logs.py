"""Log lines: how they begin, and that nothing runs from one into the next."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from compressor.types import Kind, ProtectedSpan

_LEVEL = r"(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|TRACE)"
_LOG = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|"
    r"[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d |"
    rf"\[?\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?\]? {{0,3}}\[?{_LEVEL}|"
    rf"\[?{_LEVEL}\]?[: ]{{1,3}}[\[\d]|"
    rf"{_LEVEL}:[\w.-]{{1,80}}:|"  # Python's logging where nothing is set
    r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}\s{1,8}\d{1,8} |"  # Kubernetes' klog
    r"[A-Za-z][\w.-]{0,60}[-_]\d{1,3} {1,20}\| |"  # docker compose: service and number
    r"(?:ts|time|timestamp|t|level|lvl)=(?:\"[^\"\n]{1,60}\"|\S{1,60}) {1,4}[\w.]{1,40}=|"  # logfmt
    r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {1,8}\d{1,8} {1,8}\d{1,8} [VDIWEFSA] |"  # Android's logcat
    r"[VDIWEF]/[\w.$-]{1,60} {0,20}\( {0,8}\d{1,8}\): |"
    r"\d{1,3}(?:\.\d{1,3}){3} - \S{1,80} \[|"
    r"[\w.:-]{2,60} \S{1,60} \S{1,60} \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:|"  # by name, IPv6
    r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4}\] |"  # Apache
    r"#\d{1,3} (?:\d{1,5}\.\d{1,4} |(?:ERROR|DONE|CACHED|CANCELED)\b|"  # docker build
    r"\[[^\]\n]{1,60}\] )|"
    r"(?:TASK|PLAY|RUNNING HANDLER) (?:\[.{1,200}\]|RECAP) \*{3,}|"  # Ansible
    r"(?:ok|changed|fatal|skipping|failed|unreachable): \[|\S{1,80} {1,40}: ok=\d|"
    r"[ew]: (?:file:/)?/\S{1,300}:\d{1,7} |"  # Kotlin's compiler
    r"\[ {0,6}\d{1,8}\.\d{6}\] |"  # the kernel's
    r"npm (?:ERR!|WARN|error|warn|notice)(?: |$)|"
    r"[\w./\\+-]{1,200}\.\w{1,8}:\d{1,7}(?::\d{1,5})?: "  # compilers
    r"(?:fatal )?(?:error|warning|note): |"
    r"={7,} .{1,200} ={7,}\s*$|"  # pytest: headings, files, tests
    r"\S{1,300}\.py [.FEsxXp]{1,300}(?: {1,99}\[ {0,2}\d{1,3}%\])?\s*$|"
    r"\S{1,300}\.py::\S.{0,300} (?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b|"
    r"(?:PASSED|FAILED|ERROR|XFAIL|XPASS) \S{1,300}\.py\b|SKIPPED \[\d|"
    r" ?(?:FAIL|PASS) {1,4}\S{1,300}\.[cm]?[jt]sx?\b| {2,12}[●✓✕] \S"  # jest
)
_KEY = re.compile(r"(?:(?<!\S)(?P<time>ts|t|time|timestamp)|\w)=\"?\Z")
_WITHIN_A_LINE = frozenset({Kind.NUMBER, Kind.QUOTE})


def is_log_line(line: str) -> bool:
    """Whether a line begins as log lines do: with a stamp, a level or a container's name."""
    return _LOG.match(line) is not None


def cut_at_log_lines(
    spans: Sequence[ProtectedSpan], log_lines: Sequence[ProtectedSpan]
) -> Iterator[ProtectedSpan]:
    """Yield the spans, those that run over the start or end of a log line cut there.

    Otherwise a number at the end of one line would keep the next. A date or a short quote over two
    lines is none, and goes; the numbers in such a date are found by themselves.
    """
    edges = sorted({edge for line in log_lines for edge in (line.start, line.end)})
    for span in spans:
        inner = edges[bisect_right(edges, span.start) : bisect_right(edges, span.end - 1)]
        if inner and span.conditional:
            for start, end in pairwise([span.start, *inner, span.end]):
                yield replace(span, start=start, end=end)
        elif not inner or span.kind not in _WITHIN_A_LINE:
            yield span


def without_values(
    text: str, spans: Sequence[ProtectedSpan], log_lines: Sequence[ProtectedSpan]
) -> Iterator[ProtectedSpan]:
    """Yield the spans but for what is no quote, but a value of logfmt, and the stamps there."""
    starts = [line.start for line in log_lines]
    for span in spans:
        at = bisect_right(starts, span.start) - 1
        keyed = span.kind in _WITHIN_A_LINE and _KEY.search(text, span.start - 12, span.start)
        stamp = span.kind is Kind.QUOTE or (keyed and keyed["time"])
        if not (keyed and stamp and at >= 0 and span.end <= log_lines[at].end):
            yield span
