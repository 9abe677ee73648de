"""A summary for people (a terminal, 80 columns) and for machines (JSON)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from proxy.ledger.summary import Report, Summary, failures

_REASONS = 5
_MODELS = 3


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as JSON values; times are ISO 8601 in UTC."""
    return {
        "by": report.by,
        "first": _iso(report.first_at),
        "last": _iso(report.last_at),
        "total": _summary_dict(report.total),
        "groups": [{"name": name, **_summary_dict(s)} for name, s in report.groups.items()],
    }


def as_text(report: Report) -> RenderableType:
    """Return the report for a terminal. Names come from clients and are made harmless."""
    shown: list[RenderableType] = [_facts(report.total)]
    if report.groups:
        shown.append(_groups(report))
    if report.total.requests and not report.total.tokens_saved:
        shown.append(_why_nothing(report.total))
    return Group(*shown)


def printable(text: str) -> str:
    """Replace what a terminal would act on, such as escape sequences in a model's name."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _summary_dict(summary: Summary) -> dict[str, Any]:
    derived = {
        "percent_saved": summary.percent_saved,
        "cache_hits": summary.cache_hits,
        "failures": failures(summary),
    }
    # Not asdict: it makes a Counter of pairs out of a Counter.
    return {f.name: getattr(summary, f.name) for f in fields(summary)} | derived


def _facts(total: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines in _fact_lines(total):
        table.add_row(name, _lines(lines))
    return table


def _fact_lines(total: Summary) -> Iterable[tuple[str, list[str]]]:
    yield "Requests", [f"{total.requests:,} ({total.accepted:,} accepted by the upstream)"]
    yield "Prompt tokens", _token_lines(total)
    yield "Dollars saved", _dollar_lines(total)
    if total.shadow_requests or total.tokens_shadow:
        yield "Shadow mode", [_shadow_line(total)]
    yield "Compression", [f"p50 {_ms(total.compress_ms_p50)} · p95 {_ms(total.compress_ms_p95)}"]
    first = _ms(total.upstream_first_byte_ms_p50)
    yield "Upstream", [f"p50 {_ms(total.upstream_ms_p50)} · first byte p50 {first}"]
    yield "Provider says", [_usage_line(total)]
    tried = sum(total.cache.values())
    yield "Cache hits", [f"{total.cache_hits:,} of {tried:,} parts{_in_brackets(total.cache)}"]
    yield "Failures", [_listed(failures(total)) or "none"]
    yield "Treatment", [_listed(total.treatments) or "none"]


def _token_lines(total: Summary) -> list[str]:
    saved = f"saved {total.tokens_saved:,} ({_percent(total)})"
    lines = [f"before {total.tokens_before:,} · sent {total.tokens_sent:,} · {saved}"]
    if total.tokens_estimated:
        lines.append(
            f"{total.tokens_estimated:,} of those before are estimated: the model's tokenizer "
            "is not known"
        )
    return lines


def _dollar_lines(total: Summary) -> list[str]:
    if total.dollars_saved is None:
        return [f"unknown price: {_models(total.unpriced_models)}"]
    sources = ", ".join(total.price_sources)
    lines = [f"{_dollars(total.dollars_saved)} estimated" + (f", by {sources}" if sources else "")]
    if total.tokens_unpriced:
        models = _models(total.unpriced_models)
        lines.append(f"without {total.tokens_unpriced:,} tokens of unknown price: {models}")
    if total.dollars_full_price_requests:
        lines.append(
            f"{total.dollars_full_price_requests:,} requests at full price: the provider did not "
            "say what it had cached"
        )
    return lines


def _shadow_line(total: Summary) -> str:
    dollars = "unknown price" if total.dollars_shadow is None else _dollars(total.dollars_shadow)
    return (
        f"would have saved {total.tokens_shadow:,} tokens ({dollars}) in "
        f"{total.shadow_requests:,} requests; sent in full"
    )


def _usage_line(total: Summary) -> str:
    if not total.usage_requests:
        return "nothing: no answer reported its token usage"
    return (
        f"{total.prompt_tokens:,} prompt tokens, {total.cached_tokens:,} of them cached "
        f"(in {total.usage_requests:,} of {total.accepted:,} answers)"
    )


def _groups(report: Report) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_footer=True)
    table.add_column(str(report.by).capitalize(), "Total", overflow="fold", min_width=12)
    names = ("Requests", "Before", "Sent", "Saved", "%", "Dollars")
    for name, footer in zip(names, _cells(report.total), strict=True):
        table.add_column(name, footer, justify="right", no_wrap=True)
    for name, summary in report.groups.items():
        table.add_row(Text(printable(name)), *_cells(summary))
    if not _partly_priced(report.total):
        return table
    return Group(table, Text("+: and tokens of unknown price"))


def _partly_priced(summary: Summary) -> bool:
    return bool(summary.tokens_unpriced) and summary.dollars_saved is not None


def _cells(summary: Summary) -> list[str]:
    dollars = "unknown" if summary.dollars_saved is None else _dollars(summary.dollars_saved)
    if _partly_priced(summary):
        dollars += "+"
    return [
        _short(summary.requests),
        _short(summary.tokens_before),
        _short(summary.tokens_sent),
        _short(summary.tokens_saved),
        _percent(summary),
        dollars,
    ]


def _why_nothing(total: Summary) -> Text:
    lines = ["Nothing was saved. Why:"]
    for reason, tokens in total.left_alone.most_common(_REASONS):
        lines.append(f"  {tokens:,} tokens left alone: {reason}")
    for note, requests in total.notes.most_common(_REASONS):
        lines.append(f"  {requests:,} requests: {note}")
    for reason, count in failures(total).items():
        lines.append(f"  {count:,} times {reason}")
    if total.tokens_shadow:
        lines.append("  the policy is in shadow mode, which measures and sends the original")
    if len(lines) == 1:
        lines.append(f"  no text to compress; treatment: {_listed(total.treatments)}")
    return _lines(["", *lines])


def _lines(lines: Iterable[str]) -> Text:
    return Text("\n".join(printable(line) for line in lines))


def _listed(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in counts.items())


def _in_brackets(counts: Mapping[str, int]) -> str:
    return f" ({_listed(counts)})" if counts else ""


def _models(tokens: Counter[str]) -> str:
    names = [name or "(none)" for name, _ in tokens.most_common(_MODELS)]
    more = len(tokens) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _short(count: int) -> str:
    """Return the number in at most seven characters; the table has to fit 80 columns."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if count >= size:
            return f"{count / size:,.{0 if count >= 100 * size else 1}f} {unit}"
    return f"{count:,}"


def _percent(summary: Summary) -> str:
    return "-" if summary.percent_saved is None else f"{summary.percent_saved:.1f}%"


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
