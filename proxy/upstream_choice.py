"""In which order a route's upstreams are tried for one request.

Providers discount the part of a prompt that they have seen before, by 50 to 90 percent, and they
know it only where they saw it. So the turns of a conversation go to the same upstream, by
rendezvous hashing: every upstream gets a score from its name and the conversation, and the highest
one wins. No copy of the proxy has to remember anything, and an upstream that comes or goes moves
only its own conversations.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from policies.types import Tier


def stickiness(*words: str | bytes) -> bytes:
    """Return the key of what belongs together, like a tenant, a model and a conversation."""
    digest = blake2b(digest_size=16)
    for word in words:
        data = word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()


def in_order(tiers: Iterable[Tier], key: bytes) -> Iterator[str]:
    """Yield every upstream's name: tier by tier, within one by its score for `key`."""
    for tier in tiers:
        if len(tier) == 1:
            yield tier[0][0]
        else:
            yield from sorted((name for name, _ in tier), key=_scores(tier, key), reverse=True)


def _scores(tier: Tier, key: bytes) -> Callable[[str], float]:
    return {name: _score(name, weight, key) for name, weight in tier}.__getitem__


def _score(name: str, weight: int, key: bytes) -> float:
    """Weighted rendezvous hashing: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables".

    With u uniform in (0, 1), the largest of weight / -ln(u) is each upstream's as often as its
    share of the weights.
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / 2**64
    return weight / -math.log(min(uniform, 1 - 2**-53))
