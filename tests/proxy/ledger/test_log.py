import io
import json
from typing import Any

import pytest

from proxy.ledger.log import LogSink, line_fields
from proxy.savings import PartReport
from tests.proxy.ledger.records import make_record, until_degraded


async def _lines(*records: Any) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    sink = LogSink(stream)
    await sink.start()
    for record in records:
        sink.write(record)
    await sink.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_one_line_a_request() -> None:
    lines = await _lines(*(make_record(number) for number in range(3)))
    assert [line["id"] for line in lines] == [make_record(n).id for n in range(3)]
    line = lines[0]
    assert line["event"] == "request"
    assert line["level"] == "info"
    assert line["timestamp"] == "2026-09-21T14:13:20.000+00:00"
    assert line["outcome"] == "compressed"
    assert (line["tokens_before"], line["tokens_sent"], line["tokens_saved"]) == (1000, 400, 600)
    assert line["prompt_tokens"] == 410


async def test_parts_are_summed_by_what_became_of_them() -> None:
    parts = (
        PartReport("messages.0.content", "user", "30 tokens, below min_tokens 200", 30, 30),
        PartReport("messages.1.content", "user", "40 tokens, below min_tokens 200", 40, 40),
        PartReport("messages.2.content", "user", "rate 0.4", 900, 360, cache="miss"),
    )
    (line,) = await _lines(make_record(parts=parts))
    assert [(p["reason"], p["count"], p["tokens_before"]) for p in line["parts"]] == [
        ("n tokens, below min_tokens 200", 2, 70),
        ("rate 0.4", 1, 900),
    ]


async def test_a_lone_surrogate_costs_no_line() -> None:
    (line,) = await _lines(make_record(model="\ud800"))
    assert line["model"] == "\\ud800"


def test_a_line_keeps_unknown_prices_unknown() -> None:
    assert line_fields(make_record(dollars_saved=None, price_source=None))["dollars_saved"] is None


async def test_standard_output_is_the_default(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    sink = LogSink()
    await sink.start()
    sink.write(make_record(7))
    await sink.close()
    assert json.loads(capfdbinary.readouterr().out)["id"] == make_record(7).id


class _BrokenPipe(io.BytesIO):
    broken = True

    def write(self, data: Any) -> int:
        if self.broken:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(data)


async def test_a_broken_stream_is_said_and_heals_without_doubling_lines() -> None:
    stream = _BrokenPipe()
    sink = LogSink(stream)
    sink.write(make_record())
    await sink.start()
    assert "Broken pipe" in await until_degraded(sink)
    stream.broken = False
    await sink.close()
    assert len(stream.getvalue().splitlines()) == 1


async def test_a_closed_stream_is_said() -> None:
    stream = io.BytesIO()
    stream.close()
    sink = LogSink(stream)
    sink.write(make_record())
    await sink.start()
    assert "closed file" in await until_degraded(sink)
    await sink.close()
    assert sink.dropped == 1
