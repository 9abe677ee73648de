import hashlib

import pytest

from proxy.headers import (
    cache_state,
    find,
    header_map,
    report_headers,
    sse_headers,
    tenant_of,
    to_client,
    to_upstream,
)
from proxy.savings import CompressionReport, PartReport, Treatment

JSON = (b"content-type", b"application/json")


def part(cache: str | None) -> PartReport:
    return PartReport("p", "user", "why", 10, 5, cache=cache)


def test_request_headers_keep_their_order_and_their_duplicates() -> None:
    raw = [(b"b", b"2"), (b"a", b"1"), (b"b", b"1"), (b"x-empty", b"")]
    assert to_upstream(raw) == [("b", "2"), ("a", "1"), ("b", "1"), ("x-empty", "")]


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-authorization",
        b"proxy-anything",
        b"host",
        b"expect",
        b"x-tersely-rate",
        b"x-tersely-future",
    ],
)
def test_what_belongs_to_this_hop_is_not_forwarded(name: bytes) -> None:
    assert to_upstream([(name, b"x")]) == []


def test_what_connection_names_is_not_forwarded_but_the_framing_is() -> None:
    raw = [
        (b"connection", b"Close, X-One"),
        (b"connection", b"x-two, Content-Length,"),
        (b"x-one", b"1"),
        (b"x-two", b"2"),
        (b"content-length", b"3"),
    ]
    assert to_upstream(raw) == [("content-length", "3")]


def test_length_and_encoding_change_only_with_the_body() -> None:
    raw = [(b"content-length", b"9"), (b"content-encoding", b"gzip"), JSON]
    json = ("content-type", "application/json")
    assert to_upstream(raw) == [("content-length", "9"), ("content-encoding", "gzip"), json]
    assert to_upstream(raw, new_length=5) == [
        ("content-encoding", "gzip"),
        json,
        ("content-length", "5"),
    ]
    assert to_upstream(raw, new_length=0, decoded=True) == [json, ("content-length", "0")]


def test_utf8_survives_the_http_client_and_other_bytes_keep_their_latin_1_meaning() -> None:
    ((_, value), (_, other)) = to_upstream([(b"a", "é你".encode()), (b"b", b"\xe9")])
    assert value.encode() == "é你".encode()
    assert other == "é"


def test_a_configured_key_replaces_every_credential() -> None:
    raw = [(b"authorization", b"Bearer c"), (b"api-key", b"c"), (b"x-api-key", b"c"), JSON]
    assert to_upstream(raw, credential=("authorization", "Bearer k")) == [
        ("content-type", "application/json"),
        ("authorization", "Bearer k"),
    ]


def test_response_headers_keep_case_order_and_duplicates() -> None:
    raw = [(b"Set-Cookie", b"a=1"), (b"X-A", b"1"), (b"Set-Cookie", b"b=2"), (b"Date", b"now")]
    assert to_client(raw, 200) == raw


@pytest.mark.parametrize("status", [204, 304])
def test_a_bodiless_answer_names_no_length(status: int) -> None:
    assert to_client([(b"Content-Length", b"7"), (b"ETag", b"x")], status) == [(b"ETag", b"x")]


def test_a_rewritten_body_loses_what_described_it() -> None:
    raw = [(b"Content-Length", b"7"), (b"Content-Encoding", b"gzip"), JSON]
    assert to_client(raw, 200, rewritten=True) == [JSON]


def test_of_two_tersely_in_a_row_the_nearer_one_speaks() -> None:
    raw = [(b"X-Tersely-Policy", b"other")]
    assert to_client(raw, 200) == raw
    assert to_client(raw, 200, drop_own=True) == []


@pytest.mark.parametrize("pair", [(b"a", b"x\x00"), (b"a b", b"x"), (b"a", b"x\x7f")])
def test_what_no_server_sends_is_left_out(pair: tuple[bytes, bytes]) -> None:
    assert to_client([pair, JSON], 200) == [JSON]


def test_header_map_joins_duplicates_and_lowers_names() -> None:
    assert header_map([(b"A", b"1"), (b"a", b"2"), (b"B", b"\xe9")]) == {"a": "1, 2", "b": "é"}
    assert find([(b"Content-Type", b"x")], b"content-type") == b"x"
    assert find([], b"a") is None


def test_the_tenant_is_a_hash_of_the_credentials() -> None:
    digest = hashlib.sha256(b"Bearer a").hexdigest()
    assert tenant_of({"authorization": "Bearer a"}) == f"t-{digest[:12]}"
    assert tenant_of({"x-api-key": "k"}) == tenant_of({"api-key": "k"})
    assert tenant_of({"authorization": "", "x-api-key": "k"}) == tenant_of({"api-key": "k"})
    assert tenant_of({}) == "anonymous"


@pytest.mark.parametrize(
    ("caches", "state"),
    [
        ([], "none"),
        ([None], "none"),
        (["memory", "shared", None, "joined"], "hit"),
        (["memory", "miss"], "partial"),
        (["miss", None], "miss"),
    ],
)
def test_the_cache_header_sums_the_parts_up(caches: list[str | None], state: str) -> None:
    assert cache_state(caches) == state


def test_the_report_in_headers() -> None:
    report = CompressionReport(
        policy="half",
        treatment=Treatment.COMPRESSED,
        tokens_before=10,
        tokens_after=5,
        tokens_sent=5,
        compress_ms=1.26,
        parts=(part("miss"),),
    )
    assert report_headers(report) == [
        (b"x-tersely-outcome", b"compressed"),
        (b"x-tersely-policy", b"half"),
        (b"x-tersely-tokens-before", b"10"),
        (b"x-tersely-tokens-after", b"5"),
        (b"x-tersely-compress-ms", b"1.3"),
        (b"x-tersely-cache", b"miss"),
    ]
    passed = CompressionReport(policy=None, treatment=Treatment.PASSED)
    assert report_headers(passed) == [(b"x-tersely-outcome", b"passed")]


def test_an_event_stream_gets_what_it_lacks() -> None:
    assert sse_headers([(b"Cache-Control", b"no-store")]) == [(b"x-accel-buffering", b"no")]
