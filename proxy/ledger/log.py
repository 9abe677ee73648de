"""One JSON line a request, for whatever collects the process's output."""

import io
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson
import structlog

from proxy.ledger.queued import OnDropped, QueuedSink, StoreError
from proxy.ledger.serial import storable
from proxy.ledger.summary import general_reason
from proxy.savings import PartReport, SavingsRecord

_SUMMED = ("tokens_before", "tokens_after", "protected", "restored", "lost")


class LogSink(QueuedSink[SavingsRecord]):
    """Writes each record as one line to `stream`, by default standard output."""

    def __init__(
        self,
        stream: BinaryIO | None = None,
        *,
        on_dropped: OnDropped | None = None,
        max_waiting: int = 10_000,
        gather_seconds: float = 0.1,
        retry_seconds: float = 0.5,
        close_seconds: float = 2.0,
    ) -> None:
        super().__init__(
            "log",
            _LineStore(stream),
            on_dropped=on_dropped,
            max_waiting=max_waiting,
            gather_seconds=gather_seconds,
            retry_seconds=retry_seconds,
            close_seconds=close_seconds,
        )


def line_fields(record: SavingsRecord) -> dict[str, Any]:
    """Return the members of the record's log line. Parts are summed by what became of them.

    A part a line would make lines of 40 kB for a long conversation, which log collectors split.
    """
    report = record.report
    return {
        "timestamp": datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds"),
        "id": record.id,
        "tenant": record.tenant,
        "method": record.method,
        "path": record.path,
        "model": record.model,
        "upstream": record.upstream,
        "tries": record.tries,
        "stream": record.stream,
        "ending": record.ending,
        "status": record.status,
        "policy": report.policy,
        "outcome": report.treatment,
        "note": report.note,
        "tokens_before": report.tokens_before,
        "tokens_after": report.tokens_after,
        "tokens_sent": report.tokens_sent,
        "tokens_saved": record.tokens_saved,
        "encoding": report.encoding,
        "tokens_estimated": report.tokens_estimated,
        "compress_ms": round(report.compress_ms, 2),
        "upstream_first_byte_ms": _rounded(record.upstream_first_byte_ms),
        "upstream_ms": _rounded(record.upstream_ms),
        "total_ms": round(record.total_ms, 2),
        "prompt_tokens": record.usage.prompt_tokens,
        "cached_tokens": record.usage.cached_tokens,
        "completion_tokens": record.usage.completion_tokens,
        "dollars_saved": record.dollars_saved,
        "price_source": record.price_source,
        "parts": _summed(report.parts),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _summed(parts: Sequence[PartReport]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str | None, str | None], Counter[str]] = {}
    for part in parts:
        key = (part.role, general_reason(part.reason), part.failure, part.cache)
        group = groups.setdefault(key, Counter())
        group["count"] += 1
        for name in _SUMMED:
            group[name] += getattr(part, name)
    return [
        {
            "role": key[0],
            "reason": key[1],
            "failure": key[2],
            "cache": key[3],
            **{name: group[name] for name in ("count", *_SUMMED)},
        }
        for key, group in groups.items()
    ]


class _LineStore:
    """Renders records with structlog and writes a batch of lines at once."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._lines = io.BytesIO()
        self._logger = structlog.wrap_logger(
            structlog.BytesLogger(self._lines),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
            wrapper_class=structlog.BoundLogger,
        ).bind()

    def open(self) -> None:
        if self._stream is None:
            # Looked up late: whoever starts the process may replace standard output.
            self._stream = sys.stdout.buffer

    def append(self, records: Sequence[SavingsRecord]) -> None:
        for record in records:
            self._logger.info("request", **line_fields(record))
        lines = self._lines.getvalue()
        self._lines.seek(0)
        self._lines.truncate()
        if self._stream is None:
            raise StoreError("the log stream is not open")
        try:
            self._stream.write(lines)
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: written to after it was closed
            raise StoreError(f"the log stream takes no lines: {error}") from error

    def close(self) -> None:
        """Leave the stream open: it belongs to the process."""


def _to_json(values: dict[str, Any], **_: Any) -> bytes:  # noqa: ANN401  (structlog passes options)
    try:
        return orjson.dumps(values)
    except TypeError:
        return orjson.dumps(storable(values))
