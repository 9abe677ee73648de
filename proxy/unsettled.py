"""Responses whose tokens are not all known yet: of the background, or left before their end."""

import re
from collections import OrderedDict
from dataclasses import dataclass

from proxy.tally import Moment

_MOST_RESPONSES = 10_000
_BEGINNING_BYTES = 64 * 1024
# In an answer, and in the first event of a stream, the response's own id stands first.
_ID = re.compile(rb'"id"\s*:\s*"(resp[_-][^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted so far for a response, for whom and when."""

    tenant: str
    tokens: int
    moment: Moment


class Unsettled:
    """What was counted for responses by id, the newest 10,000. For one process."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, Counted] = OrderedDict()

    def __contains__(self, response_id: str) -> bool:
        return response_id in self._found

    def add(self, response_id: str, counted: Counted) -> None:
        """Remember a response; the oldest is forgotten for one too many."""
        self._found[response_id] = counted
        if len(self._found) > _MOST_RESPONSES:
            self._found.popitem(last=False)

    def pop(self, response_id: str) -> Counted | None:
        """Return what was counted for a response, and forget it."""
        return self._found.pop(response_id, None)


class ResponseId:
    """Finds the id of a response in the beginning of its answer."""

    def __init__(self) -> None:
        self.found: str | None = None
        self._beginning = bytearray()

    def look(self, chunk: bytes) -> None:
        """Search what has come; gives up after 64 KiB."""
        if self.found is not None or len(self._beginning) >= _BEGINNING_BYTES:
            return
        self._beginning += chunk[:_BEGINNING_BYTES]
        if match := _ID.search(self._beginning):
            self.found = match[1].decode("utf-8", "replace")
