"""A circuit breaker: what keeps failing is left alone for a while, then tried once."""

from collections.abc import Callable


class Circuit:
    """Opens after `limit` failures in a row and rests, longer each time, up to `longest_rest`.

    After the rest one call is let through; if it succeeds the circuit closes. Times in seconds of
    `clock`. For one thread.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        limit: int = 3,
        first_rest: float = 1.0,
        longest_rest: float = 30.0,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._first_rest = first_rest
        self._longest_rest = longest_rest
        self._failures = 0
        self._rest = first_rest
        self._resting_until: float | None = None
        self.trouble: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last calls failed, and none has succeeded since."""
        return self._resting_until is not None

    def allows(self) -> bool:
        """Whether to make the call now. After a rest this is true once until it is reported on."""
        if self._resting_until is None:
            return True
        if self._clock() < self._resting_until:
            return False
        # The one trial; should nobody report on it, the next comes after another rest.
        self._resting_until = self._clock() + self._rest
        return True

    def succeeded(self) -> None:
        """Report a call that worked."""
        self._failures = 0
        self._rest = self._first_rest
        self._resting_until = None
        self.trouble = None

    def failed(self, trouble: str) -> None:
        """Report a call that did not work, and why."""
        self.trouble = trouble
        self._failures += 1
        if self._failures < self._limit:
            return
        if self._failures > self._limit:
            self._rest = min(self._rest * 2, self._longest_rest)
        self._resting_until = self._clock() + self._rest
