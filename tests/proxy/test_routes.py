import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routes import liveness, readiness, within_api


@pytest.mark.parametrize(
    "path",
    [b"/v1", b"/v1/", b"/v1/models", b"/v1//x", b"/v1/a..b", b"/v1/...", b"/v1/a%2Fb", b"/v1/./x"],
)
def test_what_is_under_the_api(path: bytes) -> None:
    assert within_api(path)


@pytest.mark.parametrize(
    "path",
    [b"", b"/", b"/v1x", b"//v1/x", b"/V1/x", b"/v1/..", b"/v1/a/..", b"/v1/..;x=1/y", b"/%76%31/"],
)
def test_what_is_not(path: bytes) -> None:
    assert not within_api(path)


@given(
    st.lists(st.sampled_from(["/", "\\", "%2f", "%2F", "%5c"]), min_size=1, max_size=3),
    st.sampled_from(["..", ".%2e", "%2e.", "%2E%2e", "%252e%252E", "..;a"]),
    st.sampled_from(["/", "%2f", "\\", ""]),
)
def test_no_spelling_of_a_climbing_segment_is(before: list[str], climb: str, after: str) -> None:
    assert not within_api(f"/v1/x{''.join(before)}{climb}{after}".encode())


def test_only_a_missing_classifier_makes_the_proxy_unavailable() -> None:
    assert readiness({})[0] == 200
    assert readiness({"shared cache": "down"})[0] == 200
    status, body, _ = readiness({"classifier": "no model file", "shared cache": "down"})
    assert status == 503
    assert json.loads(body)["degraded"] == {"classifier": "no model file", "shared cache": "down"}
    assert liveness()[0] == 200
