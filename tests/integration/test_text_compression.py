"""POST /v1/compress on a real server."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import zstandard

from compressor.calibration import read_calibration
from compressor.classifier.registry import bundled_folder
from compressor.types import Failure
from policies.types import Policy, Protections
from proxy.access import digest_of, new_key
from proxy.savings import CompressionReport, Ending, PartReport, Treatment
from proxy.text_compression import CompressRequest, answer_of, policy_for, read_request
from proxy.treatment import Treated
from tests.fakes import FakeCompressor, every_second_word
from tests.integration.conftest import Proxy, ProxyServer
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import Answer, ask

TEXT = " ".join(f"word{number}" for number in range(40))
SHORT, _ = every_second_word(TEXT)


async def post(proxy: Proxy, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await ask(proxy, "POST", "/v1/compress", headers, raw)


async def test_a_text_comes_back_shorter_and_no_upstream_is_asked(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    answer = await post(proxy, {"text": TEXT, "rate": 0.5})
    assert answer.status == 200
    assert answer.value("content-type") == "application/json"
    said = json.loads(answer.body)
    (result,) = said["results"]
    assert result["text"] == SHORT
    assert (said["object"], said["encoding"], said["policy"]) == (
        "compression",
        "o200k_base",
        "request",
    )
    assert said["tokens_after"] < said["tokens_before"]
    assert result["reason"] == "rate 0.5"
    assert upstream.received == []
    record = await proxy.sink.next()
    assert (record.ending, record.status, record.upstream) == (Ending.FINISHED, 200, None)
    assert record.report.treatment is Treatment.PASSED
    assert record.tokens_saved == 0  # nothing was saved on any bill
    assert proxy.sink.empty


async def test_a_threshold_by_name_is_a_number_for_the_compressor(
    proxy_server: ProxyServer,
) -> None:
    compressor = FakeCompressor()
    proxy = proxy_server(compressor=compressor)
    said = json.loads((await post(proxy, {"text": TEXT, "threshold": "balanced"})).body)
    number = read_calibration(bundled_folder()).thresholds["balanced"]
    assert said["results"][0]["reason"] == f"threshold balanced ({number:g})"
    assert [call[1].threshold for call in compressor.calls] == [number]
    refused = await post(proxy, {"text": TEXT, "threshold": "gentel"})
    assert refused.status == 400
    error = json.loads(refused.body)["error"]
    assert error["param"] == "threshold"
    assert "it has aggressive, balanced, gentle" in error["message"]
    wrong = await post(proxy, {"text": TEXT, "threshold": 1.5})
    assert wrong.status == 400
    assert "'1.5' is neither a keep probability" in json.loads(wrong.body)["error"]["message"]


async def test_several_texts_by_a_policy_and_with_a_question(proxy_server: ProxyServer) -> None:
    compressor = FakeCompressor()
    proxy = proxy_server(compressor=compressor)
    body = {
        "texts": [TEXT, "short", TEXT + " more"],
        "policy": "half",
        "question": "Which word?",
        "force_tokens": ["word7"],
    }
    said = json.loads((await post(proxy, body)).body)
    assert [r["text"] for r in said["results"]][:2] == [SHORT, "short"]
    assert "below min_tokens" in said["results"][1]["reason"]
    assert said["results"][1]["rate"] == 1
    (_, settings, _, deadline_ms), *_ = compressor.calls
    assert (settings.question, settings.force_tokens) == ("Which word?", ("word7",))
    assert deadline_ms == 2000


async def test_a_shadow_policy_answers_what_it_would_do(proxy: Proxy) -> None:
    said = json.loads((await post(proxy, {"text": TEXT, "policy": "shadow"})).body)
    assert said["results"][0]["text"] == SHORT


async def test_a_failure_gives_the_original_and_says_so(proxy_server: ProxyServer) -> None:
    compressor = FakeCompressor()
    compressor.failure = Failure.CLASSIFIER_UNAVAILABLE
    said = json.loads(
        (await post(proxy_server(compressor=compressor), {"text": TEXT, "rate": 0.5})).body
    )
    assert said["results"][0]["text"] == TEXT
    assert said["results"][0]["failure"] == "classifier_unavailable"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"{", None, "JSON"),
        (b"[1]", None, "object"),
        ({}, None, "either `text` or `texts`"),
        ({"text": "a", "texts": ["b"]}, None, "either `text` or `texts`"),
        ({"text": 7}, "text", "string"),
        ({"texts": []}, "texts", "at least 1"),
        ({"texts": ["a", None]}, "texts.1", "string"),
        ({"text": "a", "rate": 2}, "rate", "less than or equal to 1"),
        ({"text": "a", "rate": 0.5, "target_tokens": 9}, None, "one amount"),
        ({"text": "a", "policy": "half", "rate": 0.5}, None, "either `policy` or `rate`"),
        ({"text": "a", "policy": "nosuch"}, "policy", "no policy 'nosuch'"),
        ({"text": "a", "policy": "off"}, "policy", "compresses nothing"),
        ({"text": "a", "ratio": 0.5}, "ratio", "not permitted"),
        ({"text": "a", "question": " "}, "question", "blank"),
        ({"text": "a", "force_tokens": ["b", " "]}, "force_tokens", "force token"),
        ({"text": "a", "policy": ""}, "policy", "no policy ''"),
        ({"text": "a", "rate": True}, "rate", "number"),
        ({"text": "a", "rate": "0.5"}, "rate", "number"),
        ({"text": "a", "threshold": True}, "threshold", "neither a keep probability"),
        ({"text": "a", "target_tokens": True}, "target_tokens", "number"),
        ({"text": "a", "target_tokens": "50"}, "target_tokens", "number"),
        ({"text": "a", "target_tokens": 50.5}, "target_tokens", "integer"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_openais_shape(
    proxy: Proxy, body: Any, param: str | None, words: str
) -> None:
    answer = await post(proxy, body)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["param"]) == (400, "invalid_request", param)
    assert error["type"] == "invalid_request_error"
    assert words in error["message"]
    assert (await proxy.sink.next()).ending is Ending.REFUSED


async def test_a_whole_number_of_tokens_may_be_written_with_a_point(proxy: Proxy) -> None:
    said = json.loads((await post(proxy, {"text": TEXT, "target_tokens": 60.0})).body)
    assert said["results"][0]["reason"] == "target_tokens 60"


async def test_an_error_repeats_no_long_name(proxy: Proxy) -> None:
    answer = await post(proxy, {"text": "a", "k" * 5000: 1})
    assert answer.status == 400
    assert len(answer.body) < 600


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
async def test_a_body_over_the_limit_is_413(proxy_server: ProxyServer, coding: str) -> None:
    proxy = proxy_server(server={"max_parse_bytes": 2048})
    body = json.dumps({"text": "a " * 4000, "rate": 0.5}).encode()
    coded = {"identity": body, "gzip": gzip.compress(body), "zstd": zstandard.compress(body)}
    answer = await post(proxy, coded[coding], (("Content-Encoding", coding),))
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("coding", ["gzip", "br"])
async def test_a_body_that_cannot_be_decoded_is_refused(proxy: Proxy, coding: str) -> None:
    answer = await post(proxy, {"text": TEXT, "rate": 0.5}, (("Content-Encoding", coding),))
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["param"]) == (400, "invalid_request", None)
    assert coding in error["message"]


async def test_keys_hold_here_too(proxy_server: ProxyServer) -> None:
    key = new_key()
    access = {
        "keys": {"ana": {"sha256": digest_of(key), "models": ["gpt-4o*"], "policies": ["half"]}}
    }
    proxy = proxy_server(access=access)
    sent = (("Authorization", f"Bearer {key}"),)
    assert (await post(proxy, {"text": TEXT, "policy": "half"})).status == 401
    assert (await post(proxy, {"text": TEXT, "policy": "half"}, sent)).status == 200
    for body, code in (
        ({"text": TEXT, "policy": "shadow"}, "policy_not_allowed"),
        ({"text": TEXT, "rate": 0.5}, "policy_not_allowed"),
        ({"text": TEXT, "policy": "half", "model": "o9"}, "model_not_allowed"),
    ):
        answer = await post(proxy, body, sent)
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["code"]) == (403, code)
        assert code == "model_not_allowed" or "body of POST /v1/compress" in error["message"]


async def test_other_methods_on_the_path_go_to_the_upstream(
    proxy: Proxy, upstream: FakeUpstream
) -> None:
    assert (await ask(proxy, "GET", "/v1/compress")).status == 200
    assert [r.method for r in upstream.received] == ["GET"]


async def test_a_lone_surrogate_is_refused_and_a_pair_is_not(proxy: Proxy) -> None:
    assert (await post(proxy, b'{"text": "\\ud83d only", "rate": 0.5}')).status == 400
    answer = await post(proxy, b'{"text": "\\ud83d\\ude00 only", "rate": 0.5}')
    assert json.loads(answer.body)["results"][0]["text"].startswith("\U0001f600")


def test_the_page_shows_what_is_asked_and_answered() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compress-api.md").read_text("utf-8")
    asked, answered = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.S))
    request = read_request(json.dumps(asked).encode())
    assert request.model_fields_set == set(asked)
    assert all(f"`{name}`" in page for name in CompressRequest.model_fields)
    treated = Treated(
        CompressionReport(
            policy="request",
            treatment=Treatment.COMPRESSED,
            parts=(PartReport("text", "user", "rate 0.5", 4, 2),),
        )
    )
    made = json.loads(answer_of(CompressRequest(text="a", rate=0.5), treated))
    assert set(answered) == set(made)
    assert set(answered["results"][0]) == set(made["results"][0])


def test_the_requests_own_words_are_forced_where_its_policy_forces_none() -> None:
    policy = Policy(
        name="free", rate=0.5, force_tokens=("theirs",), protect=Protections(forced=False)
    )
    request = CompressRequest(text="a", policy="free", force_tokens=("mine",))
    followed = policy_for(request, {"free": policy}, lambda _: None, lambda _: 0.0)
    assert followed.force_tokens == ("mine",)
    assert followed.protect.forced
