"""Parts that went out as the original once, and so stay original for a while."""

from collections import OrderedDict
from collections.abc import Callable

from compressor.cache import PartKey

_MAX_PARTS = 50_000


class StickyOriginals:
    """Remembers each part for `seconds` of `clock` from its first failure.

    A provider that has seen a prefix bills it less: a part must not change back and forth between
    its original and its compressed form from one turn to the next. Holds at most 50,000 parts; past
    that the oldest are forgotten.
    """

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __contains__(self, part: PartKey) -> bool:
        until = self._until.get(part.digest)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._until[part.digest]
        return False

    def add(self, part: PartKey, seconds: float | None = None) -> None:
        """Remember a part, for no more than `seconds` where another copy began before this one."""
        if part in self:
            return
        self._until[part.digest] = self._clock() + min(seconds or self.seconds, self.seconds)
        while len(self._until) > _MAX_PARTS:
            self._until.popitem(last=False)
