"""Asking a language model: the protocol, and what stands around it (disk cache, retries, totals).

The HTTP client is outside this package: whatever implements `Ask` will do.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from compressor.evaluation.result_lines import open_to_append

_FORMAT = 1
_LONGEST_DOUBLINGS = 6  # of the second before another try: 64 seconds, however many tries there are
REASONING_TOKENS = 8000  # a model that reasons before it answers counts both against its limit

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One user message for one model, at temperature 0."""

    model: str
    text: str
    max_tokens: int

    @property
    def key(self) -> str:
        """A hash of the content, under which the reply is kept."""
        parts = json.dumps([_FORMAT, self.model, self.text, self.max_tokens])
        return hashlib.sha256(parts.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, and the tokens it counted; None where it did not say.

    `cut`: it was not done, as when it reaches the limit.
    """

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cut: bool = False


class AskFailed(Exception):
    """No reply. `retry` says whether asking again may help, `after` in how many seconds."""

    def __init__(self, message: str, *, retry: bool, after: float | None = None) -> None:
        super().__init__(message)
        self.retry = retry
        self.after = after


class AskRefused(Exception):
    """The endpoint will answer nothing like this: a wrong key, a model that is not there."""


class Ask(Protocol):
    """Asks a model."""

    async def __call__(self, prompt: Prompt) -> Reply:
        """Return the reply. Raises AskFailed and AskRefused."""
        ...


@dataclass(slots=True)
class Totals:
    """What a run asked for; tokens are those of new replies whose endpoint counted them."""

    cached: int = 0
    asked: int = 0
    retried: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def dollars(self, per_million_in: float, per_million_out: float) -> float:
        """Return what the new replies cost at these prices."""
        tokens = self.prompt_tokens * per_million_in + self.completion_tokens * per_million_out
        return tokens / 1e6


class PatientAsk:
    """Keeps replies on disk by content, asks few at a time, and asks again after a failure.

    `path` is a JSONL file; `concurrency` is how many questions are out at once; a failure that may
    pass is tried `tries` times in all, after 1, 2, 4 … 64 seconds or as long as the endpoint says.
    Identical prompts are asked once. Failures are never kept, so a later run asks those again.
    Where nothing ever answered, or as many prompts in a row as go out at once have failed, the run
    is refused.
    """

    def __init__(
        self,
        ask: Ask,
        path: Path,
        *,
        concurrency: int = 8,
        tries: int = 5,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.totals = Totals()
        self._ask = ask
        self._path = path
        self._concurrency = concurrency
        self._room = asyncio.Semaphore(concurrency)
        self._tries = tries
        self._sleep = sleep
        self._replies = _read_replies(path)
        self._failed_in_a_row = 0
        self._locks: dict[str, asyncio.Lock] = {}

    async def __call__(self, prompt: Prompt) -> Reply:
        """Return the reply, from disk where it is there. Raises AskFailed and AskRefused."""
        async with self._locks.setdefault(prompt.key, asyncio.Lock()):
            known = self._replies.get(prompt.key)
            if known is not None:
                self.totals.cached += 1
                return known
            async with self._room:
                try:
                    reply = await self._until_answered(prompt)
                except (AskFailed, AskRefused):
                    self.totals.failed += 1
                    raise
            self._keep(prompt, reply)
            return reply

    async def on_disk(self, prompt: Prompt) -> Reply:
        """Return the reply if it is on disk; nothing is asked. Raises AskFailed."""
        known = self._replies.get(prompt.key)
        if known is None:
            raise AskFailed("not asked yet", retry=False)
        return known

    def _keep(self, prompt: Prompt, reply: Reply) -> None:
        self.totals.asked += 1
        self._failed_in_a_row = 0
        self.totals.prompt_tokens += reply.prompt_tokens or 0
        self.totals.completion_tokens += reply.completion_tokens or 0
        self._replies[prompt.key] = reply
        line = json.dumps({"key": prompt.key, **asdict(reply)}, ensure_ascii=False)
        with open_to_append(self._path) as file:
            file.write(line + "\n")

    async def _until_answered(self, prompt: Prompt) -> Reply:
        tried = 0
        while True:
            tried += 1
            try:
                return await self._ask(prompt)
            except AskFailed as error:
                if not error.retry:
                    raise
                if tried >= self._tries:
                    self._failed_in_a_row += 1
                    if not self._replies or self._failed_in_a_row >= self._concurrency:
                        # Nothing works, so that every other prompt need not find it out alone.
                        tries = "1 try" if tried == 1 else f"{tried} tries"
                        raise AskRefused(f"no reply in {tries}: {error}") from error
                    raise
                self.totals.retried += 1
                pause = 2.0 ** min(tried - 1, _LONGEST_DOUBLINGS)
                await self._sleep(pause if error.after is None else error.after)


async def all_at_once(work: Iterable[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Run all of it at once, and return the results in the order given.

    The first error ends the rest and is raised as it is.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the first one speaks for all
    return [task.result() for task in tasks]


def _read_replies(path: Path) -> dict[str, Reply]:
    """Return the replies on disk; a line that is none (cut off) is left out and asked again."""
    replies: dict[str, Reply] = {}
    if path.exists():
        for line in path.read_text("utf-8", errors="replace").split("\n"):
            try:
                fields = json.loads(line)
                key = fields.pop("key")
                reply = Reply(**fields)
                if isinstance(reply.text, str):
                    replies[key] = reply
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
    return replies
