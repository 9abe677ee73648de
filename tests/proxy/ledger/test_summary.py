from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.ledger.summary import (
    GroupBy,
    Summary,
    failures,
    general_reason,
    percentile,
    summarise,
)
from proxy.savings import Ending, PartReport, SavingsRecord, Treatment, Usage
from tests.proxy.ledger.records import make_record, records

ADDED = [f.name for f in fields(Summary) if f.type in {int, "int"}]
COUNTED = [f.name for f in fields(Summary) if "Counter" in str(f.type)]
DAY = 86_400


def total(*given: SavingsRecord) -> Summary:
    return summarise(given).total


@pytest.mark.parametrize("by", GroupBy)
@given(many=st.lists(records, max_size=12))
@settings(max_examples=40, deadline=None)
def test_groups_add_up_to_the_total(by: GroupBy, many: list[SavingsRecord]) -> None:
    report = summarise(many, by)
    groups = report.groups.values()
    assert len(ADDED) > 10
    for name in ADDED:
        assert sum(getattr(g, name) for g in groups) == getattr(report.total, name), name
    for name in COUNTED:
        added = sum((getattr(g, name) for g in groups), start=type(report.total.cache)())
        # Counter's + leaves out zeros, which is all that may differ.
        assert added == +getattr(report.total, name), name
    for name in ("dollars_saved", "dollars_shadow"):
        parts = [d for g in groups if (d := getattr(g, name)) is not None]
        whole = getattr(report.total, name)
        assert sum(parts) == pytest.approx(whole or 0.0)


@given(many=st.lists(records, max_size=12))
@settings(max_examples=40, deadline=None)
def test_order_does_not_matter(many: list[SavingsRecord]) -> None:
    one, other = summarise(many).total, summarise(many[::-1]).total
    for name in [*ADDED, *COUNTED, "compress_ms_p50", "upstream_ms_p50"]:
        assert getattr(one, name) == getattr(other, name)


@given(many=st.lists(records, max_size=12))
@settings(max_examples=40, deadline=None)
def test_saved_is_before_less_sent(many: list[SavingsRecord]) -> None:
    found = total(*many)
    assert found.tokens_saved == found.tokens_before - found.tokens_sent


def test_nothing_is_a_summary_too() -> None:
    report = summarise([], GroupBy.DAY)
    assert report.total == Summary(dollars_saved=0.0)
    assert report.total.percent_saved is None
    assert (report.groups, report.first_at, report.last_at) == ({}, None, None)


def test_percent_is_saved_of_before() -> None:
    found = total(make_record(tokens_sent=400), make_record(tokens_before=3000, tokens_sent=3000))
    assert (found.tokens_before, found.tokens_sent, found.tokens_saved) == (4000, 3400, 600)
    assert found.percent_saved == 15.0


def test_what_the_upstream_refused_is_no_saving() -> None:
    found = total(make_record(), make_record(status=429), make_record(status=500))
    assert (found.requests, found.accepted, found.tokens_saved) == (3, 1, 600)
    assert found.dollars_saved == 0.0015
    assert found.statuses == {"2xx": 1, "4xx": 1, "5xx": 1}


def test_shadow_is_no_saving() -> None:
    found = total(
        make_record(
            treatment=Treatment.SHADOW, tokens_sent=1000, dollars_saved=0.0, dollars_shadow=0.002
        )
    )
    assert (found.tokens_saved, found.percent_saved, found.dollars_saved) == (0, 0.0, 0.0)
    assert (found.shadow_requests, found.tokens_shadow, found.dollars_shadow) == (1, 600, 0.002)


def test_an_unknown_price_is_not_zero_dollars() -> None:
    found = total(make_record(dollars_saved=None, price_source=None, model="mine"))
    assert found.dollars_saved is None
    assert found.unpriced_models == {"mine": 600}


def test_known_prices_are_added_and_the_rest_named() -> None:
    found = total(make_record(), make_record(dollars_saved=None, model="mine"), make_record())
    assert found.dollars_saved == 0.003
    assert found.tokens_unpriced == 600


def test_an_unknown_price_of_nothing_saved_is_no_gap() -> None:
    found = total(make_record(dollars_saved=None, tokens_sent=1000, tokens_after=1000))
    assert found.dollars_saved == 0.0
    assert found.tokens_unpriced == 0


def test_a_missing_cached_count_is_told() -> None:
    found = total(make_record(usage=Usage(410, 20, None)), make_record(usage=Usage(410, 20, 0)))
    assert found.dollars_full_price_requests == 1


def test_the_provider_s_counts_stand_beside() -> None:
    found = total(make_record(usage=Usage(410, 20, 128)), make_record(usage=Usage()))
    assert (found.usage_requests, found.prompt_tokens, found.cached_tokens) == (1, 410, 128)


def test_times_are_of_the_requests_that_had_them() -> None:
    many = [
        make_record(n, compress_ms=float(n), upstream_ms=10.0 * n, upstream_first_byte_ms=1.0 * n)
        for n in range(101)
    ]
    found = total(*many, make_record(compress_ms=0.0, upstream_ms=None, status=502))
    # The one with 0 ms compressed nothing.
    assert (found.compress_ms_p50, found.compress_ms_p95) == (50.0, 95.0)
    assert (found.upstream_ms_p50, found.upstream_first_byte_ms_p50) == (500.0, 50.0)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.5, 3.0),
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([1.0, 2.0], 0.0, 1.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_percentile(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def test_parts_left_alone_are_grouped_by_reason() -> None:
    parts = (
        PartReport("a", "user", "30 tokens, below min_tokens 200", 30, 30),
        PartReport("b", "user", "40 tokens, below min_tokens 200", 40, 40),
        PartReport("c", "system", "role system is not in the policy's roles", 500, 500),
        PartReport("d", "user", "rate 0.4", 900, 360, cache="memory"),
        PartReport("e", "user", "late", 900, 900, cache="miss", failure="deadline"),
    )
    found = total(make_record(parts=parts))
    assert found.left_alone == {
        "n tokens, below min_tokens 200": 70,
        "role system is not in the policy's roles": 500,
    }
    assert (found.parts, found.parts_shortened) == (5, 1)
    assert found.part_failures == {"deadline": 1}
    assert (found.cache, found.cache_hits) == ({"memory": 1, "miss": 1}, 1)


def test_a_reason_keeps_the_numbers_of_the_policy() -> None:
    assert general_reason("12345 tokens, within target_tokens 500") == (
        "n tokens, within target_tokens 500"
    )
    assert general_reason("rate 0.4") == "rate 0.4"


def test_failures_are_parts_endings_and_answers() -> None:
    late = PartReport("e", "user", "late", 900, 900, failure="deadline")
    found = total(
        make_record(),
        make_record(parts=(late,)),
        make_record(ending=Ending.CLIENT_GONE),
        make_record(status=503),
    )
    assert failures(found) == {
        "part: deadline": 1,
        "request: client_gone": 1,
        "upstream answered 5xx": 1,
    }


def test_days_are_utc_and_in_order() -> None:
    midnight = 1_790_035_200.0
    assert midnight % DAY == 0
    report = summarise(
        [make_record(at=midnight + 1), make_record(at=midnight - 1), make_record(at=midnight)],
        GroupBy.DAY,
    )
    assert {day: s.requests for day, s in report.groups.items()} == {
        "2026-09-21": 1,
        "2026-09-22": 2,
    }
    assert list(report.groups) == ["2026-09-21", "2026-09-22"]


def test_models_come_with_the_largest_saving_first() -> None:
    report = summarise(
        [make_record(model="small"), make_record(model="large"), make_record(model="large")],
        GroupBy.MODEL,
    )
    assert list(report.groups) == ["large", "small"]


def test_requests_without_a_model_or_policy_have_a_group() -> None:
    assert list(summarise([make_record(model="")], GroupBy.MODEL).groups) == ["(none)"]
    assert list(summarise([make_record(policy=None)], GroupBy.POLICY).groups) == ["(none)"]
