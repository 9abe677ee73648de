"""What the answers of an upstream say about it. Nothing is ever asked only to find out."""

from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime

from compressor.circuit import Circuit
from proxy.config_upstream import UpstreamConfig
from proxy.headers import find

_ASKS_TO_WAIT = frozenset({429, 503, 529})
_MOST_TENANTS = 10_000


class Health:
    """Whether one upstream is to be tried now, where there is another.

    It is set aside after failures in a row (the circuit), and for as long as its own retry-after
    says. A 429 to a client's own key sets it aside for that tenant alone. `clock` counts seconds,
    `wall_clock` seconds since the epoch. For one thread.
    """

    def __init__(
        self,
        config: UpstreamConfig,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._own_key = config.api_key is not None
        self._longest = config.aside_max_seconds
        self._circuit = Circuit(
            clock,
            limit=config.circuit_failures,
            first_rest=min(config.circuit_seconds, config.aside_max_seconds),
            longest_rest=config.aside_max_seconds,
        )
        self._aside_until = 0.0
        self._asked_with = 0
        self._tenants: dict[str, float] = {}

    def allows(self, tenant: str) -> bool:
        """Whether to send a request there now; once true for an open circuit, it is the trial."""
        if self._aside_until or self._tenants:
            now = self._clock()
            if now < self._aside_until or now < self._tenants.get(tenant, 0.0):
                return False
        return self._circuit.allows()

    def failed(self, trouble: str) -> None:
        """Note a request that got no answer, and why."""
        self._circuit.failed(trouble)

    def answered(self, status: int, headers: Sequence[tuple[bytes, bytes]], tenant: str) -> None:
        """Note an answer's head. 500 and above count as failures; they were not the client's."""
        if status >= 500:
            self._circuit.failed(f"it answered {status}")
        else:
            self._circuit.succeeded()
        if status in _ASKS_TO_WAIT:
            wait = retry_after(headers, self._wall_clock())
            if wait:
                self._set_aside(status, min(wait, self._longest), tenant)

    def _set_aside(self, status: int, seconds: float, tenant: str) -> None:
        until = self._clock() + seconds
        if status != 429 or self._own_key:
            self._aside_until, self._asked_with = max(until, self._aside_until), status
            return
        if len(self._tenants) >= _MOST_TENANTS:
            now = self._clock()
            self._tenants = {name: end for name, end in self._tenants.items() if end > now}
            if len(self._tenants) >= _MOST_TENANTS:
                return
        self._tenants[tenant] = until

    def trouble(self) -> str | None:
        """Return why it is set aside for everybody, None when it is not."""
        if self._circuit.is_open:
            return f"it failed several times in a row; the last time: {self._circuit.trouble}"
        rest = self._aside_until - self._clock()
        if rest > 0:
            return f"it answered {self._asked_with} and asked to be left alone, {rest:.0f} s more"
        return None


def retry_after(headers: Sequence[tuple[bytes, bytes]], now: float) -> float | None:
    """Return the seconds that an answer asks to wait, by retry-after-ms or retry-after.

    The latter as RFC 9110 section 10.2.3 has it: seconds, or a date, `now` in seconds since the
    epoch. None where neither is there or can be read.
    """
    units: Mapping[bytes, float] = {b"retry-after-ms": 1000.0, b"retry-after": 1.0}
    for name, per_second in units.items():
        value = find(headers, name)
        if value is None:
            continue
        seconds = _seconds(value.decode("latin-1").strip(), now, per_second)
        if seconds is not None:
            return max(0.0, seconds)
    return None


def _seconds(text: str, now: float, per_second: float) -> float | None:
    if text.replace(".", "", 1).isdecimal() and len(text) < 20:
        return float(text) / per_second
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
