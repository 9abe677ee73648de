"""What a client says to the proxy itself, in x-tersely-* request headers."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.types import Policy
from proxy.errors import RequestRefused

BYPASS = "x-tersely-bypass"
POLICY = "x-tersely-policy"
RATE = "x-tersely-rate"

_YES = frozenset({"true", "1"})
_NO = frozenset({"false", "0", ""})


@dataclass(frozen=True, slots=True)
class Control:
    """One request's wishes. `policy` and `rate` are None where the route's own hold."""

    bypass: bool = False
    policy: Policy | None = None
    rate: float | None = None

    def applied(self, policy: Policy) -> Policy:
        """Return the policy that holds for this request, given its route's."""
        chosen = self.policy or policy
        if self.rate is None:
            return chosen
        amount = {"rate": self.rate, "threshold": None, "target_tokens": None}
        return chosen.model_copy(update=amount)


_NO_WISHES = Control()


def read_control(headers: Mapping[str, str], policies: Mapping[str, Policy]) -> Control:
    """Read the control headers (names in lower case).

    Raises RequestRefused (400) for a value that cannot be followed, rather than guess at it.
    """
    bypass, name, rate = headers.get(BYPASS), headers.get(POLICY), headers.get(RATE)
    if bypass is None and name is None and rate is None:
        return _NO_WISHES
    return Control(_bypass(bypass), _policy(name, policies), _rate(rate))


def _bypass(value: str | None) -> bool:
    word = (value or "").strip().lower()
    if word not in _YES | _NO:
        raise _refused(BYPASS, f"'{value}' is neither true nor false")
    return word in _YES


def _policy(name: str | None, policies: Mapping[str, Policy]) -> Policy | None:
    if name is None:
        return None
    policy = policies.get(name.strip())
    if policy is None:
        known = ", ".join(sorted(policies))
        raise _refused(POLICY, f"there is no policy '{name}'; the known ones are: {known}")
    return policy


def _rate(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        rate = float(value)
    except ValueError:
        raise _refused(RATE, f"'{value}' is not a number") from None
    if not 0 < rate <= 1:
        raise _refused(RATE, f"'{value}' is not above 0 and at most 1 (0.33 keeps a third)")
    return rate


def _refused(header: str, problem: str) -> RequestRefused:
    return RequestRefused(400, f"{header}: {problem}", code="invalid_header", param=header)
