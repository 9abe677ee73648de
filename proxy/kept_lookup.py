"""Looks for something that one of a route's upstreams keeps, by asking one after the other.

That an id is not known changes nothing where it was asked for, so the next may be asked: nothing
has to be remembered about who made what, and every copy of the proxy finds it.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from proxy.errors import RequestRefused, UpstreamError
from proxy.upstream import UpstreamResponse
from proxy.usage import json_object

_MOST_OF_AN_ERROR = 64 * 1024
_BY_ID = ("previous_response_id", "conversation")


@dataclass(slots=True)
class Outcome:
    """What came of asking one upstream: an answer or an error. `failed`: it might have the thing.

    A failure is one that sends a request on by the route's `fallback_on`.
    """

    name: str
    result: UpstreamResponse | UpstreamError | RequestRefused
    failed: bool = False

    def close(self) -> None:
        """Drop the answer."""
        if not isinstance(self.result, Exception):
            self.result.close()


async def look_up(
    names: Iterable[str],
    home: str,
    ask: Callable[[str], Awaitable[UpstreamResponse]],
    is_failure: Callable[[UpstreamResponse | UpstreamError], bool],
) -> Outcome:
    """Return what the first of `names` that has it said; `home` is where it would be at first.

    Where none has it that is a failure, if there was one, since it might be there; else what home
    said. Raises UpstreamError for one that `is_failure` does not take for a failure.
    """
    standing: Outcome | None = None
    try:
        for name in names:
            one = await _asked(name, ask, is_failure)
            if not one.failed and not await _is_missing(one, elsewhere=name != home):
                return one
            if standing is None or (not standing.failed and (one.failed or name == home)):
                if standing is not None:
                    standing.close()
                standing = one
            else:
                one.close()
        if standing is None:
            raise ValueError("there is no upstream to ask")
        found, standing = standing, None
        return found
    finally:
        if standing is not None:
            standing.close()


async def _asked(
    name: str,
    ask: Callable[[str], Awaitable[UpstreamResponse]],
    is_failure: Callable[[UpstreamResponse | UpstreamError], bool],
) -> Outcome:
    try:
        response = await ask(name)
    except RequestRefused as refused:
        return Outcome(name, refused)
    except UpstreamError as error:
        if not is_failure(error):
            raise
        return Outcome(name, error, failed=True)
    return Outcome(name, response, failed=is_failure(response))


async def _is_missing(one: Outcome, *, elsewhere: bool) -> bool:
    """Whether an outcome says that the thing is not there.

    `elsewhere` is for an upstream other than home: a client's key need not fit that one.
    """
    response = one.result
    if isinstance(response, Exception):
        return True
    if response.status == 400:
        one.result = peeked = _Peeked(response)
        with contextlib.ExitStack() as unread:
            unread.callback(peeked.close)
            body = await peeked.peek()
            unread.pop_all()
        return _says_missing(body)
    return response.status == 404 or (elsewhere and response.status in (401, 403))


def _says_missing(body: bytes) -> bool:
    """Whether an error 400 is about an id: OpenAI's for a previous response is none of 404."""
    answer = json_object(body) or {}
    error = answer.get("error")
    if not isinstance(error, dict):
        return False
    words = " ".join(str(error.get(name)) for name in ("code", "message", "param")).lower()
    return "not found" in words or "not_found" in words or any(name in words for name in _BY_ID)


class _Peeked:
    """An answer whose body was read in part before it goes on."""

    def __init__(self, response: UpstreamResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._rest = response.chunks()
        self._read: list[bytes] = []

    async def peek(self) -> bytes:
        """Return the body, or the beginning of a long one."""
        size = 0
        async for chunk in self._rest:
            self._read.append(chunk)
            size += len(chunk)
            if size >= _MOST_OF_AN_ERROR:
                break
        return b"".join(self._read)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield all of the body."""
        for chunk in self._read:
            yield chunk
        async for chunk in self._rest:
            yield chunk

    def close(self) -> None:
        """Drop the answer."""
        self._response.close()
