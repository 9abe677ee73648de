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
from proxy.config_thresholds import named_thresholds
from proxy.context_windows import ContextWindows
from proxy.counting import PromptCounter, TokenizerSource
from proxy.dialects import DIALECTS
from proxy.dialects.base import BodyReading, BodyText
from proxy.json_spans import Unreadable
from proxy.prices import PriceTable
from proxy.request_question import questions
from proxy.savings import CompressionReport
from proxy.tool_descriptions import with_tool_descriptions
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
_READ = (
    *("model", "messages", "system", "input", "prompt", "tools", "functions"),
    *("max_tokens", "max_completion_tokens", "max_output_tokens"),
    *("suffix", "echo", "prompt_logprobs", "continue_final_message"),
)
# Reading this many bytes takes about as long as the way to a thread and back.
_INLINE_BYTES = 64 * 1024

Status = dict[str, str | int]


class TerselyCallback(CustomLogger):
    """Compresses the text of requests that opted in; on any trouble they go on as they came.

    A request asks by its header `x-tersely-policy` or its metadata's `tersely`, a key or a team by
    its own metadata's `tersely`: the first that is there counts, and names a policy or preset;
    `true` is `default`, `off` and `false` are nothing. Without any, `everyone` holds.

    `policies` adds to the presets, by name, in the form of config.yaml; `context_windows` says, in
    tokens by glob on the name that clients use for a model, how much it takes, where LiteLLM's own
    table does not. Options are those of `compressor.build_part_compressor`, for a shared cache say.
    A thread begins to load the classifier at once; connections wait for the first request. Raises
    ValueError (pydantic's, too) for policies and windows that cannot be.
    """

    def __init__(
        self,
        policies: Mapping[str, Mapping[str, object]] | None = None,
        *,
        default: str = "balanced",
        everyone: str = "off",
        context_windows: Mapping[str, int] | None = None,
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
        classifier = str(options.get("classifier", "bundled"))
        self._thresholds = named_thresholds(classifier, own)  # raises for a name that has no number
        self._default = default
        self._everyone = everyone
        self._windows = _windows(context_windows or {})
        shared = Tokenizers(options.pop("encodings", None))
        self._counter = PromptCounter(shared if tokenizers is None else tokenizers)
        self._compressor = compressor or build_part_compressor(
            **{"tokenizers": shared, "load_now": True, **options}
        )
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
        self._start()
        try:
            if len(body) > _INLINE_BYTES:
                reading = await asyncio.to_thread(dialect.read, body)
            else:
                reading = dialect.read(body)
        except Unreadable as why:
            return _with_status(data, {"outcome": "passed", "reason": why.note})
        reading = await with_tool_descriptions(dialect, body, policy, reading, self._counter)
        treated = await self._treated(policy, reading, _tenant(key))
        return _with_status(_changed(data, treated.changes), _status(treated.report, reading.note))

    async def _treated(self, policy: Policy, reading: BodyReading, tenant: str) -> Treated:
        texts = [text.text for text in reading.texts]
        counts = await self._counter.count(reading.model, texts, owner=tenant)
        parts = text_parts(reading.texts, counts.tokens)
        window = self._windows.of(reading.model) if policy.fit_context else None
        return await treat(
            policy,
            reading.texts,
            parts,
            select(policy, parts, window=window, reserved_tokens=reading.reserved_tokens),
            counts,
            compressor=self._compressor,
            tenant=tenant,
            questions=await questions(reading) if policy.question_aware else None,
            number_of=self._thresholds.number,
        )

    def _start(self) -> None:
        """Begin to use what was loaded; requests wait for it as long as their deadline lets them.

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


def _windows(sizes: Mapping[str, int]) -> ContextWindows:
    for pattern, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"context_windows: '{pattern}' needs a number of tokens, not {size!r}")
    return ContextWindows(sizes, PriceTable({}).context_window)


def _status(report: CompressionReport, note: str | None) -> Status:
    reasons = [part.reason for part in report.parts if part.failure is not None]
    if note is not None:
        reasons.append(note)
    status: Status = {
        "outcome": report.treatment.value,
        "policy": report.policy or "",
        "tokens_before": report.tokens_before,
        "tokens_after": report.tokens_after,
        "compress_ms": round(report.compress_ms),
    }
    return status | ({"reason": reasons[0]} if reasons else {})


def _metadata(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("litellm_metadata" if "litellm_metadata" in data else "metadata")
    return found if isinstance(found, Mapping) else {}


def _with_status(data: dict[str, Any], status: Status) -> dict[str, Any]:
    """Return the request with the status in LiteLLM's own metadata, which its loggers see."""
    place = "litellm_metadata" if "litellm_metadata" in data else "metadata"
    return {**data, place: {**_metadata(data), STATUS_FIELD: status}}
