"""Where the commands that ask a language model send their questions, and what those cost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from pydantic import SecretStr, ValidationError

from proxy.config import environment_secret
from proxy.config_problems import explain
from proxy.config_upstream import UpstreamConfig, Via

if TYPE_CHECKING:
    from compressor.evaluation.ask import PatientAsk
    from proxy.upstream import Upstream

_Result = TypeVar("_Result")

BaseUrl = Annotated[
    str, typer.Option(help="An OpenAI-compatible API, like https://api.openai.com/v1.")
]
ApiKeyEnv = Annotated[
    str | None,
    typer.Option(
        help="Name of the environment variable that holds the API key; without, no key is sent."
    ),
]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests that are under way at once.")]
Reasoning = Annotated[
    bool,
    typer.Option(
        "--reasoning",
        help="For models that reason before they answer: sends max_completion_tokens, with "
        "8,000 more for the reasoning, and no temperature.",
    ),
]
PriceIn = Annotated[float | None, typer.Option(min=0, help="US dollars per million prompt tokens.")]
PriceOut = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="US dollars per million completion tokens; the cost is said where both are known.",
    ),
]
Timeout = Annotated[
    int,
    typer.Option(
        min=1,
        max=86400,
        help="Seconds to wait for an answer before the request counts as failed. Raise it for a "
        "slow model of your own.",
    ),
]
Tries = Annotated[
    int,
    typer.Option(
        min=1,
        max=100,
        help="Times that a request is sent in all where the endpoint does not answer, is busy "
        "(429) or fails (5xx). Between them it waits 1, 2, 4 … up to 64 seconds, or what "
        "`retry-after` says.",
    ),
]
TIMEOUT_SECONDS = 180
TRIES = 5


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """Where questions go, how many at once, and what they cost."""

    config: UpstreamConfig
    key: SecretStr | None
    concurrency: int
    reasoning: bool
    price_in: float | None
    price_out: float | None
    tries: int = TRIES

    @property
    def reasoning_tokens(self) -> int:
        """How many tokens more than its answer's a model may use."""
        from compressor.evaluation.ask import REASONING_TOKENS  # noqa: PLC0415

        return REASONING_TOKENS if self.reasoning else 0

    def run(self, replies: Path, work: Callable[["PatientAsk"], Awaitable[_Result]]) -> _Result:
        """Run `work` with the endpoint, its replies kept in a file, and say what it came to.

        Raises OSError where that file cannot be written, before anything is asked.
        """
        from compressor.evaluation.result_lines import require_writable  # noqa: PLC0415

        require_writable(replies)
        return asyncio.run(self._run(replies, work))

    async def _run(
        self, replies: Path, work: Callable[["PatientAsk"], Awaitable[_Result]]
    ) -> _Result:
        from compressor.evaluation.ask import PatientAsk  # noqa: PLC0415
        from proxy.commands.chat_endpoint import ChatEndpoint  # noqa: PLC0415

        upstream = self._upstream()
        await upstream.start()
        endpoint = ChatEndpoint(upstream, self.key, reasoning=self.reasoning)
        ask = PatientAsk(endpoint, replies, concurrency=self.concurrency, tries=self.tries)
        try:
            return await work(ask)
        finally:
            await upstream.close()
            self._report(ask)

    def _upstream(self) -> "Upstream":
        if self.config.via is Via.LITELLM:
            from proxy.upstream_litellm import LitellmUpstream  # noqa: PLC0415

            return LitellmUpstream("model", self.config)
        from proxy.upstream import AiohttpUpstream  # noqa: PLC0415

        return AiohttpUpstream("model", self.config)

    def _report(self, ask: "PatientAsk") -> None:
        totals = ask.totals
        line = (
            f"{totals.asked:,} new replies, {totals.cached:,} from disk, {totals.retried:,} tries "
            f"repeated, {totals.failed:,} failed; {totals.prompt_tokens:,} prompt and "
            f"{totals.completion_tokens:,} completion tokens"
        )
        if self.price_in is not None and self.price_out is not None:
            line += f", {totals.dollars(self.price_in, self.price_out):.4f} US dollars"
        typer.echo(line, err=True)


def endpoint_at(
    base_url: str | None,
    api_key_env: str | None,
    concurrency: int,
    reasoning: bool,
    price_in: float | None,
    price_out: float | None,
    *,
    model: str = "",
    timeout: int = TIMEOUT_SECONDS,
    tries: int = TRIES,
) -> ModelEndpoint:
    """Return the endpoint; without `base_url` the provider of `model` through the litellm SDK.

    `timeout` is in seconds, `tries` how often a request is sent in all. Raises BadParameter for an
    address or a model that cannot be asked, MissingVariable.
    """
    key = None if api_key_env is None else environment_secret(api_key_env)
    try:
        if base_url is None:
            config = UpstreamConfig(
                via=Via.LITELLM, models={"*": model}, read_timeout_seconds=timeout
            )
        else:
            config = UpstreamConfig(base_url=base_url, read_timeout_seconds=timeout)
    except ValidationError as error:
        hint = "--base-url" if base_url is not None else "--model"
        _, fault = next(explain(error, UpstreamConfig))
        raise typer.BadParameter(fault, param_hint=hint) from None
    return ModelEndpoint(config, key, concurrency, reasoning, price_in, price_out, tries)
