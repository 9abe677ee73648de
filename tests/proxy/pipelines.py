"""A small config, chat bodies for it, and a call to the pipeline: what several tests start from."""

import json
from collections.abc import Mapping
from typing import Any

from policies.types import Match, Mode, Policy, Route
from proxy.config import Config
from proxy.config_upstream import UpstreamConfig, UsageMode
from proxy.pipeline import Pipeline, Prepared

PATH = "/v1/chat/completions"
LONG = "one two three four five six seven eight"
SHORT = "one three five seven"

POLICIES = {
    "half": Policy(name="half", rate=0.5, min_tokens=4, deadline_ms=900),
    "watch": Policy(name="watch", rate=0.5, min_tokens=4, mode=Mode.SHADOW),
    "none": Policy(name="none", mode=Mode.OFF),
    "cap": Policy(name="cap", target_tokens=3, min_tokens=4, force_tokens=("two",)),
    "fit": Policy(name="fit", rate=0.5, min_tokens=0, fit_context=True),
}


def config(policy: str = "half", **members: Any) -> Config:
    return Config(
        upstreams={
            "main": UpstreamConfig(base_url="http://main.test/v1"),
            "asks": UpstreamConfig(base_url="http://asks.test/v1", usage=UsageMode.ASK),
        },
        policies=POLICIES,
        routes=(
            Route(match=Match(model="asked*"), policy=policy, upstream="asks"),
            Route(match=Match(tenant="closed"), policy="none", upstream="main"),
            Route(match=Match(model="gpt-*"), policy=policy, upstream="main"),
            Route(match=Match(headers={"x-team": "a"}), policy="none", upstream="main"),
        ),
        **members,
    )


def chat(*contents: Any, **members: Any) -> bytes:
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": "gpt-4o", "messages": messages, **members}).encode()


async def prepare(
    pipeline: Pipeline, body: bytes, headers: Mapping[str, str] | None = None, path: str = PATH
) -> Prepared:
    return await pipeline.prepare(path=path, headers=headers or {}, tenant="t-1", body=body)
