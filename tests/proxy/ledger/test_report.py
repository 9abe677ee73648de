import io
import json
from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from proxy.ledger.report import as_dict, as_text, printable
from proxy.ledger.summary import GroupBy, Report, summarise
from proxy.savings import Ending, PartReport, SavingsRecord, Treatment, Usage
from tests.proxy.ledger.records import make_record, records


def shown(report: Report, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(as_text(report))
    return stream.getvalue()


@pytest.mark.parametrize("by", [None, *GroupBy])
@given(many=st.lists(records, max_size=6))
@settings(max_examples=25, deadline=None)
def test_any_report_fits_80_columns_and_is_json(by: GroupBy, many: list[SavingsRecord]) -> None:
    report = summarise(many, by)
    assert all(cell_len(line) <= 80 for line in shown(report).splitlines())
    values = json.loads(orjson.dumps(as_dict(report)))
    assert values["total"]["requests"] == len(many)
    assert sum(group["requests"] for group in values["groups"]) == (len(many) if by else 0)


def test_the_numbers_are_there() -> None:
    text = shown(summarise([make_record(), make_record(status=429)]))
    assert "2 (1 accepted by the upstream)" in text
    assert "before 1,000 · sent 400 · saved 600 (60.0%)" in text
    assert "$0.0015 estimated, by config as of 2026-11-01" in text
    assert "p50 12 ms · p95 12 ms" in text
    assert "p50 900 ms · first byte p50 200 ms" in text
    assert "410 prompt tokens, 0 of them cached (in 1 of 1 answers)" in text
    assert "0 of 2 parts (miss 2)" in text
    assert "upstream answered 4xx 1" in text
    assert "Shadow mode" not in text


def test_an_unknown_price_is_called_unknown() -> None:
    report = summarise([make_record(dollars_saved=None, model="mine")], GroupBy.MODEL)
    text = shown(report)
    assert "unknown price: mine" in text
    assert text.count("unknown") == 3  # and in the table's row and total
    assert "$" not in text
    assert as_dict(report)["total"]["dollars_saved"] is None


def test_a_partly_known_price_names_the_gap() -> None:
    text = shown(
        summarise([make_record(), make_record(dollars_saved=None, model="mine")], GroupBy.MODEL)
    )
    assert "without 600 tokens of unknown price: mine" in text
    assert "$0.0015+" in text
    assert "+: and tokens of unknown price" in text


def test_dollars_without_a_cached_count_say_so() -> None:
    text = " ".join(shown(summarise([make_record(usage=Usage())])).split())
    assert "1 requests at full price: the provider did not say what it had cached" in text
    assert "nothing: no answer reported its token usage" in text


def test_shadow_says_what_it_would_have_saved() -> None:
    record = make_record(
        treatment=Treatment.SHADOW, tokens_sent=1000, dollars_saved=0.0, dollars_shadow=2.5
    )
    text = " ".join(shown(summarise([record])).split())
    assert "would have saved 600 tokens ($2.50) in 1 requests; sent in full" in text
    assert "saved 0 (0.0%)" in text


def test_nothing_saved_says_why() -> None:
    parts = (PartReport("a", "user", "30 tokens, below min_tokens 200", 30, 30),)
    text = shown(
        summarise(
            [
                make_record(parts=parts, tokens_sent=1000, tokens_after=1000),
                make_record(parts=(), tokens_before=0, tokens_sent=0, note="the body is not JSON"),
                make_record(parts=(), ending=Ending.UPSTREAM_TIMEOUT, status=None),
            ]
        )
    )
    why = text.partition("Nothing was saved. Why:")[2]
    assert "30 tokens left alone: n tokens, below min_tokens 200" in why
    assert "1 requests: the body is not JSON" in why
    assert "1 times request: upstream_timeout" in why


def test_nothing_to_save_says_so() -> None:
    record = make_record(
        treatment=Treatment.PASSED, parts=(), tokens_before=0, tokens_sent=0, tokens_after=0
    )
    assert "no text to compress; treatment: passed 1" in shown(summarise([record]))


def test_a_saving_needs_no_why() -> None:
    assert "Why" not in shown(summarise([make_record()]))


def test_a_model_s_name_cannot_act_on_the_terminal() -> None:
    name = "\x1b[2J\x1b]0;owned\x07[bold]x[/bold]"
    text = shown(summarise([make_record(model=name, dollars_saved=None)], GroupBy.MODEL), 120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]" in text
    assert printable("a\nb\x9bc") == "a\ufffdb\ufffdc"


def test_large_numbers_stay_short_in_the_table() -> None:
    record = make_record(tokens_before=12_345_678_901, tokens_sent=345_678_901)
    table = shown(summarise([record], GroupBy.MODEL)).partition("Model")[2]
    assert "12.3 G" in table
    assert "346 M" in table


def test_json_keeps_every_member_of_the_summary() -> None:
    values = as_dict(summarise([make_record()], GroupBy.POLICY))
    assert values["total"]["percent_saved"] == 60.0
    assert values["total"]["cache"] == Counter(miss=1)
    assert values["groups"][0]["name"] == "balanced"
    assert values["first"] == "2026-09-21T14:13:20+00:00"
