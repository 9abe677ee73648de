import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proxy.access import Access, Caller, digest_of, expired, new_key
from proxy.config_access import AccessConfig, AccessKey
from proxy.errors import RequestRefused
from proxy.headers import header_map

NOW = datetime(2027, 1, 1, tzinfo=UTC)
KEY = new_key()
OTHER = new_key()


def access(**options: Any) -> Access:
    entry = {"sha256": digest_of(KEY)} | options
    config = AccessConfig.model_validate(
        {"keys": {"ci": entry, "other": {"sha256": digest_of(OTHER)}}}
    )
    return Access(config, clock=NOW.timestamp)


def admit(
    access: Access, headers: dict[str, str], path: str = "/v1/chat/completions", query: bytes = b""
) -> Caller:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return access.admit(raw, header_map(raw), path=path, query=query)


def refused(
    access: Access, headers: dict[str, str], path: str = "/v1/models", query: bytes = b""
) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        admit(access, headers, path, query)
    for name, value in headers.items():
        if KEY in value or OTHER in value:
            assert KEY not in caught.value.message, name
    return caught.value


def test_a_new_key_is_256_random_bits() -> None:
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(re.fullmatch(r"tsly_[A-Za-z0-9_-]{43}", key) for key in keys)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer   {KEY} "},
        {"authorization": KEY},
        {"x-api-key": KEY},
        {"api-key": KEY},
        {"authorization": f"Bearer {KEY}", "x-api-key": KEY},
    ],
)
def test_a_key_as_the_api_key_is_a_swap(headers: dict[str, str]) -> None:
    caller = admit(access(tenant="team-a"), headers)
    assert (caller.tenant, caller.name, caller.swaps) == ("team-a", "ci", True)


@pytest.mark.parametrize(
    "credentials", [{}, {"authorization": "Bearer sk-own"}, {"x-api-key": "sk-ant-own"}]
)
def test_a_key_beside_the_clients_own_is_a_pass_through(credentials: dict[str, str]) -> None:
    caller = admit(access(), {"x-tersely-key": KEY} | credentials)
    assert (caller.tenant, caller.swaps) == ("ci", False)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "asks for a key of its own"),
        ({"authorization": "Bearer sk-own"}, "asks for a key of its own"),
        ({"authorization": f"Basic {KEY}"}, "asks for a key of its own"),
        ({"authorization": f"Bearer {KEY[:-1]}"}, "not valid here"),
        ({"authorization": f"Bearer {KEY}x"}, "not valid here"),
        ({"authorization": "Bearer tsly_"}, "not valid here"),
        ({"authorization": f"Bearer {digest_of(KEY)}"}, "asks for a key of its own"),
        ({"authorization": f"Bearer tsly_{digest_of(KEY)}"}, "not valid here"),
        ({"authorization": f"Bearer {KEY}, Bearer {OTHER}"}, "not valid here"),
        ({"x-tersely-key": ""}, "not valid here"),
        ({"x-tersely-key": f"{KEY}, {KEY}"}, "not valid here"),
        ({"x-tersely-key": digest_of(KEY)}, "not valid here"),
        ({"x-tersely-key": KEY, "authorization": f"Bearer {KEY}"}, "came twice"),
        ({"x-tersely-key": KEY, "x-api-key": OTHER}, "came twice"),
        ({"authorization": f"Bearer {KEY}", "api-key": OTHER}, "Two different proxy keys"),
    ],
)
def test_without_one_valid_key_nobody_is_let_in(headers: dict[str, str], words: str) -> None:
    error = refused(access(), headers)
    assert (error.status, error.code) == (401, "invalid_api_key")
    assert words in error.message
    assert error.headers == ((b"www-authenticate", b'Bearer realm="tersely"'),)


def test_no_keys_left_let_nobody_in() -> None:
    none = Access(AccessConfig.model_validate({"keys": {}}))
    assert refused(none, {"authorization": f"Bearer {KEY}"}).status == 401


def test_without_keys_the_tenant_is_a_hash_of_the_credentials() -> None:
    open_one = Access(AccessConfig())
    caller = admit(open_one, {"authorization": "Bearer sk-own"})
    assert caller.tenant.startswith("t-")
    assert not caller.swaps
    # a proxy key means nothing there: it may be that of a Tersely behind this one
    assert not admit(open_one, {"authorization": f"Bearer {KEY}"}).swaps


@pytest.mark.parametrize(
    ("expires", "valid"),
    [(NOW + timedelta(seconds=1), True), (NOW, False), (NOW - timedelta(days=1), False)],
)
def test_a_key_is_valid_until_it_expires(expires: datetime, valid: bool) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    limited = access(expires=expires.isoformat())
    if valid:
        assert admit(limited, headers).name == "ci"
    else:
        error = refused(limited, headers)
        assert error.status == 401
        assert "'ci' expired at 20" in error.message
    key = AccessKey.model_validate({"sha256": digest_of(KEY), "expires": expires.isoformat()})
    assert expired(key, NOW.timestamp()) is not valid


@pytest.mark.parametrize(
    ("headers", "query", "where"),
    [
        ({"authorization": f"Bearer {KEY}", "cookie": f"a={OTHER}"}, b"", "the header cookie"),
        ({"authorization": f"Bearer {KEY}", "x-key": KEY}, b"", "the header x-key"),
        pytest.param(
            {"authorization": f"Bearer {KEY}"}, b"key=" + KEY.encode(), "the query", id="query"
        ),
        ({"x-tersely-key": KEY, "authorization": f"Basic {KEY}"}, b"", "header authorization"),
        (
            {
                "x-tersely-key": KEY,
                "sec-websocket-protocol": f"realtime, openai-insecure-api-key.{KEY}",
            },
            b"",
            "the header sec-websocket-protocol",
        ),
    ],
)
def test_a_key_that_would_leave_with_the_request_is_refused(
    headers: dict[str, str], query: bytes, where: str
) -> None:
    error = refused(access(), headers, query=query)
    assert (error.status, error.code) == (400, "misplaced_proxy_key")
    assert where in error.message


def test_control_headers_count_only_from_keys_that_may_send_them() -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-tersely-bypass": "true"}
    error = refused(access(), headers)
    assert (error.status, error.code) == (403, "control_header_not_allowed")
    assert error.param == "x-tersely-bypass"
    assert admit(access(control_headers=True), headers).name == "ci"
    assert admit(Access(AccessConfig()), headers).name is None


def test_paths() -> None:
    limited = access(paths=["/v1/chat/*", "/v1/models"])
    headers = {"authorization": f"Bearer {KEY}"}
    assert admit(limited, headers, "/v1/chat/completions").name == "ci"
    error = refused(limited, headers, "/v1/files")
    assert (error.status, error.code) == (403, "path_not_allowed")


def test_models_and_policies() -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    caller = admit(access(models=["gpt-4o*"], policies=["safe", "off"]), headers)
    assert caller.models_limited
    caller.check_models(["gpt-4o-mini", "openai/GPT-4o"])
    caller.check_policy("safe")
    with pytest.raises(RequestRefused, match="does not allow the model 'gpt-5'") as caught:
        caller.check_models(["gpt-4o", "gpt-5"])
    assert (caught.value.status, caught.value.code) == (403, "model_not_allowed")
    with pytest.raises(RequestRefused, match="the policy 'aggressive'") as caught:
        caller.check_policy("aggressive")
    assert (caught.value.status, caught.value.code) == (403, "policy_not_allowed")
    assert caller.model_unknown("it is hidden").status == 403


def test_a_key_without_lists_may_have_all() -> None:
    caller = admit(access(), {"authorization": f"Bearer {KEY}"})
    assert not caller.models_limited
    caller.check_models(["anything"])
    caller.check_policy("anything")


def test_limits_come_from_the_key_or_else_from_the_section() -> None:
    limits = {"requests_per_minute": 5}
    config = AccessConfig.model_validate(
        {
            "keys": {
                "ci": {"sha256": digest_of(KEY), "limits": {"tokens_per_day": 7}},
                "other": {"sha256": digest_of(OTHER)},
            },
            "limits": limits,
        }
    )
    own = admit(Access(config), {"authorization": f"Bearer {KEY}"}).limits
    general = admit(Access(config), {"authorization": f"Bearer {OTHER}"}).limits
    assert own is not None
    assert (own.requests_per_minute, own.tokens_per_day) == (None, 7)
    assert general is not None
    assert general.requests_per_minute == 5
