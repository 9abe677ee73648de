import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from proxy.metrics import Metrics
from proxy.savings import Ending, PartReport, SavingsRecord, Treatment
from tests.proxy.ledger.records import make_record, records

Sample = tuple[str, frozenset[tuple[str, str]]]


def scrape(metrics: Metrics) -> dict[Sample, float]:
    body, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return scrape(metrics)[name, frozenset(labels.items())]


def counted(*given: SavingsRecord) -> Metrics:
    metrics = Metrics()
    for record in given:
        metrics.write(record)
    return metrics


def test_requests_are_counted_by_how_they_ended() -> None:
    metrics = counted(
        make_record(),
        make_record(),
        make_record(ending=Ending.UPSTREAM_TIMEOUT, status=None),
    )
    labels = {"endpoint": "chat_completions", "policy": "balanced", "treatment": "compressed"}
    assert value(metrics, "tersely_requests_total", **labels, ending="finished", status="2xx") == 2
    late = {"ending": "upstream_timeout", "status": "none"}
    assert value(metrics, "tersely_requests_total", **labels, **late) == 1


def test_tokens_count_where_the_upstream_took_the_prompt() -> None:
    metrics = counted(make_record(), make_record(status=429))
    for name, expected in {"before": 1000, "sent": 400, "saved": 600, "shadow": 0}.items():
        full = f"tersely_prompt_tokens_{name}_total"
        assert value(metrics, full, policy="balanced") == expected


def test_shadow_tokens_are_apart() -> None:
    metrics = counted(make_record(treatment=Treatment.SHADOW, tokens_sent=1000))
    assert value(metrics, "tersely_prompt_tokens_saved_total", policy="balanced") == 0
    assert value(metrics, "tersely_prompt_tokens_shadow_total", policy="balanced") == 600


def test_dollars_and_what_they_leave_out() -> None:
    metrics = counted(make_record(dollars_saved=0.25), make_record(dollars_saved=None))
    assert value(metrics, "tersely_saved_dollars_total") == 0.25
    assert value(metrics, "tersely_prompt_tokens_unpriced_total") == 600


def test_times_are_histograms_in_seconds() -> None:
    metrics = counted(
        make_record(compress_ms=5.0, upstream_first_byte_ms=50.0),
        make_record(compress_ms=12.5, upstream_first_byte_ms=9e6),
        make_record(compress_ms=0.0, upstream_first_byte_ms=None),
    )
    name = "tersely_compress_seconds"
    assert value(metrics, f"{name}_count") == 2
    assert value(metrics, f"{name}_sum") == pytest.approx(0.0175)
    assert value(metrics, f"{name}_bucket", le="0.001") == 0
    assert value(metrics, f"{name}_bucket", le="0.005") == 1  # the bound itself is within
    assert value(metrics, f"{name}_bucket", le="0.025") == 2
    assert value(metrics, "tersely_upstream_first_byte_seconds_bucket", le="0.05") == 1
    assert value(metrics, "tersely_upstream_first_byte_seconds_bucket", le="300.0") == 1
    assert value(metrics, "tersely_upstream_first_byte_seconds_bucket", le="+Inf") == 2


def test_parts_are_counted_by_failure_and_cache() -> None:
    parts = (
        PartReport("a", "user", "late", 9, 9, cache="miss", failure="deadline"),
        PartReport("b", "user", "rate 0.4", 9, 4, cache="shared"),
        PartReport("c", "user", "policy is off", 9, 9),
    )
    metrics = counted(make_record(parts=parts))
    assert value(metrics, "tersely_part_failures_total", reason="deadline") == 1
    assert value(metrics, "tersely_cache_results_total", state="miss") == 1
    assert value(metrics, "tersely_cache_results_total", state="shared") == 1


def test_what_the_parts_of_the_proxy_report() -> None:
    metrics = Metrics()
    metrics.shared_cache_error()
    metrics.dropped("sqlite", 3)
    metrics.dropped("sqlite", 2)
    degraded = {"shared_cache": "connection refused"}
    metrics.watch(lambda: degraded)
    assert value(metrics, "tersely_shared_cache_errors_total") == 1
    assert value(metrics, "tersely_records_dropped_total", sink="sqlite") == 5
    assert value(metrics, "tersely_degraded", component="shared_cache") == 1
    degraded.clear()
    assert not [name for name, _ in scrape(metrics) if name == "tersely_degraded"]


def test_two_apps_in_one_process_count_apart() -> None:
    one, other = counted(make_record()), Metrics()
    assert value(one, "tersely_prompt_tokens_saved_total", policy="balanced") == 600
    assert not [name for name, _ in scrape(other) if name.startswith("tersely_prompt_tokens_saved")]


def test_clients_cannot_make_up_labels() -> None:
    metrics = Metrics()
    for number in range(500):
        metrics.write(
            make_record(
                number,
                model=f"model-{number}",
                tenant=f"tenant-{number}",
                path=f"/v1/files/{number}",
                policy=f"policy-{number}",
            )
        )
    body = metrics.render()[0].decode()
    assert "model-" not in body
    assert "tenant-" not in body
    assert "/v1/" not in body
    assert value(metrics, "tersely_prompt_tokens_saved_total", policy="other") == 400 * 600
    samples = [name for name, _ in scrape(metrics) if name == "tersely_requests_total"]
    assert len(samples) == 101


@given(many=st.lists(records, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_record_can_be_counted_and_shown(many: list[SavingsRecord]) -> None:
    found = scrape(counted(*many))
    total = sum(count for (name, _), count in found.items() if name == "tersely_requests_total")
    assert total == len(many)


def test_drops_may_come_from_any_thread() -> None:
    metrics = Metrics()
    threads = [
        threading.Thread(target=lambda: [metrics.dropped("log", 1) for _ in range(2_000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(metrics, "tersely_records_dropped_total", sink="log") == 8_000


async def test_it_is_a_sink() -> None:
    metrics = Metrics()
    await metrics.start()
    assert metrics.degraded() is None
    await metrics.close()
