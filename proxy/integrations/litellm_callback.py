"""A callback of the LiteLLM proxy: compresses there for the keys, teams and requests that ask.

Source: `CustomLogger` in litellm/integrations/custom_logger.py,
https://docs.litellm.ai/docs/proxy/call_hooks. Extra: `litellm`.
"""

import asyncio
import copy
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from litellm.integrations.custom_logger import CustomLogger

from compressor.build import build_part_compressor
from compressor.tokens import Tokenizers
from compressor.types import PartCompressor
from policies.presets import PRESETS, complete
from policies.select import select
from policies.types import Policy
from proxy.counting import PromptCounter, TokenizerSource
from proxy.dialects import DIALECTS
from proxy.dialects.base import BodyText
from proxy.json_spans import Unreadable
from proxy.request_question import questions
from proxy.savings import CompressionReport
from proxy.treatment import Treated, text_parts, treat

_log = logging.getLogger("tersely.integrations")

FIELD = "tersely"
STATUS_FIELD = "tersely_status"
HEADER = "x-tersely-policy"

# LiteLLM's names of the calls whose bodies Tersely reads, and the path that each has.
_PATHS = {
    "completion": "/v1/chat/completions",
    "acompletion": "/v1/chat/completions",
    "text_completion": "/v1/completions",
    "atext_completion": "/v1/completions",
    "responses": "/v1/responses",
    "aresponses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
}
# The members that a dialect looks at; the others are LiteLLM's own, and no JSON.
_READ = ("model", "messages", "system", "instructions", "input", "prompt", "max_tokens")

Status = dict[str, str | int]


class TerselyCallback(CustomLogger):
    """Compresses the text of requests that opted in; on any trouble they go on as they came.

    A request asks by its header `x-tersely-policy` or its metadata's `tersely`, a key or a team by
    its own metadata's `tersely`: the first that is there counts, and names a policy or preset;
    `true` is `default`, `off` and `false` are nothing. Without any, `everyone` holds.

    `policies` adds to the presets, by name, in the form of config.yaml. Options are those of
    `compressor.build_part_compressor`, for a shared cache say. Needs no thread or connection before
    its first request. Raises ValueError (pydantic's, too) for policies that cannot be.
    """

    def __init__(
        self,
        policies: Mapping[str, Mapping[str, object]] | None = None,
        *,
        default: str = "balanced",
        everyone: str = "off",
        compressor: PartCompressor | None = None,
        tokenizers: TokenizerSource | None = None,
        **options: Any,  # noqa: ANN401 - build_part_compressor has their types
    ) -> None:
        super().__init__()
        own = {
            name: Policy.model_validate(complete(name, given))
            for name, given in (policies or {}).items()
        }
        self._policies = {name: preset.policy for name, preset in PRESETS.items()} | own
        for name in (default, everyone):
            if name not in self._policies:
                raise ValueError(self._unknown(name))
        self._default = default
        self._everyone = everyone
        loaded = Tokenizers() if tokenizers is None else tokenizers
        self._counter = PromptCounter(loaded)
        self._compressor = compressor or build_part_compressor(**options)
        self._starting: asyncio.Task[None] | None = None

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's, which needs litellm[proxy] to import
        cache: object,
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any] | None:
        """Return the request with its text compressed, None to leave it as it is."""
        try:
            asked = self._asked(user_api_key_dict, data)
            name = self._named(asked)
            policy = self._policies.get(name)
            if policy is None:
                return _with_status(data, {"outcome": "refused", "reason": self._unknown(name)})
            return await self._compressed(policy, user_api_key_dict, data, call_type)
        except Exception as error:  # noqa: BLE001 - the fail-open boundary
            # Without its message, which may quote the request.
            _log.warning("a request goes on uncompressed: %s", type(error).__name__)
            reason = f"compressing failed ({type(error).__name__})"
            return _with_status(data, {"outcome": "failed_open", "reason": reason})

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: object,
        response: object,
        request_headers: dict[str, str] | None = None,
        litellm_call_info: dict[str, object] | None = None,
    ) -> dict[str, str] | None:
        """Return x-tersely-* headers for the answer to a request that opted in."""
        status = _metadata(data).get(STATUS_FIELD)
        if not isinstance(status, Mapping):
            return None
        names = ("outcome", "policy", "tokens_before", "tokens_after")
        return {f"x-tersely-{n.replace('_', '-')}": str(status[n]) for n in names if n in status}

    async def _compressed(
        self,
        policy: Policy,
        key: Any,  # noqa: ANN401 - see async_pre_call_hook
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any] | None:
        if policy.name == "off":
            return None
        dialect = DIALECTS.get(_PATHS.get(call_type, ""))
        if dialect is None:
            return None
        body = orjson.dumps({name: data[name] for name in _READ if name in data})
        try:
            reading = dialect.read(body)
        except Unreadable as why:
            return _with_status(data, {"outcome": "passed", "reason": why.note})
        self._start()
        tenant = _tenant(key)
        texts = [text.text for text in reading.texts]
        counts = await self._counter.count(reading.model, texts, owner=tenant)
        parts = text_parts(reading.texts, counts.tokens)
        treated: Treated = await treat(
            policy,
            reading.texts,
            parts,
            select(policy, parts),
            counts,
            compressor=self._compressor,
            tenant=tenant,
            questions=await questions(reading) if policy.question_aware else None,
        )
        return _with_status(_changed(data, treated.changes), _status(treated.report))

    def _start(self) -> None:
        """Begin to load the classifier; requests wait for it as long as their deadline lets them.

        At the first request, since the compressor belongs to the loop that serves.
        """
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._compressor.start())

    def _asked(self, key: Any, data: Mapping[str, Any]) -> object:  # noqa: ANN401
        """Return what the request, else its key, else its team asks for; None for nothing."""
        request = data.get("proxy_server_request")
        headers = request.get("headers") if isinstance(request, Mapping) else None
        if isinstance(headers, Mapping):
            for name, value in headers.items():
                if str(name).lower() == HEADER:
                    return value
        places = (
            data.get("metadata"),
            data.get("litellm_metadata"),
            getattr(key, "metadata", None),
            getattr(key, "team_metadata", None),
        )
        for place in places:
            if isinstance(place, Mapping) and place.get(FIELD) is not None:
                return place[FIELD]
        return None

    def _named(self, asked: object) -> str:
        if asked is None:
            return self._everyone
        if isinstance(asked, bool):
            return self._default if asked else "off"
        return str(asked)

    def _unknown(self, name: str) -> str:
        return f"there is no policy '{name[:60]}'; there are {', '.join(sorted(self._policies))}"


def _tenant(key: Any) -> str:  # noqa: ANN401
    """Return whose cache entries a request may use: its team's, else its key's (hashed)."""
    team, token = getattr(key, "team_id", None), getattr(key, "token", None)
    return f"team:{team}" if team else f"key:{token}" if token else "anonymous"


def _changed(data: dict[str, Any], changes: Sequence[tuple[BodyText, str]]) -> dict[str, Any]:
    """Return the request with these texts in place; what the caller gave is not changed."""
    new = dict(data)
    for top in {text.path[0] for text, _ in changes}:
        new[str(top)] = copy.deepcopy(data[str(top)])
    for text, shorter in changes:
        holder: Any = new
        for step in text.path[:-1]:
            holder = holder[step]
        if holder[text.path[-1]] != text.text:
            raise ValueError("a text is not where its path leads")
        holder[text.path[-1]] = shorter
    return new


def _status(report: CompressionReport) -> Status:
    failed = [part.reason for part in report.parts if part.failure is not None]
    status: Status = {
        "outcome": report.treatment.value,
        "policy": report.policy or "",
        "tokens_before": report.tokens_before,
        "tokens_after": report.tokens_after,
        "compress_ms": round(report.compress_ms),
    }
    return status | ({"reason": failed[0]} if failed else {})


def _metadata(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("litellm_metadata" if "litellm_metadata" in data else "metadata")
    return found if isinstance(found, Mapping) else {}


def _with_status(data: dict[str, Any], status: Status) -> dict[str, Any]:
    """Return the request with the status in LiteLLM's own metadata, which its loggers see."""
    place = "litellm_metadata" if "litellm_metadata" in data else "metadata"
    return {**data, place: {**_metadata(data), STATUS_FIELD: status}}
