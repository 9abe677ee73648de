"""What a saved token was worth: prices from config, then from litellm's table when installed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from proxy.config import Price
from proxy.savings import Usage

_TABLE_FILE = "model_prices_and_context_window_backup.json"
_PER_TOKEN = "input_cost_per_token"  # noqa: S105  (a price, not a password)
_PER_COMPLETION = "output_cost_per_token"
_PER_CACHED = "cache_read_input_token_cost"
_TIER = re.compile(rf"{_PER_TOKEN}_above_(\d+)k_tokens")
_FINE_TUNED = re.compile(r"(ft:[^:]+):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars for one prompt token, new and cached, for prompts of more than `above` tokens."""

    input: float
    cached: float
    above: int = 0


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """One model of a published table: its prices by prompt length, ascending, and its window.

    `completion` is US dollars for one completion token, for prompts of any length.
    """

    provider: str
    prices: tuple[TokenPrice, ...]
    window: int | None
    completion: float | None = None


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A price table that somebody else keeps, and what to call it."""

    source: str
    models: Mapping[str, PublishedModel]

    def find(self, model: str) -> PublishedModel | None:
        """Return the entry that is this very model's; no name is guessed at.

        Besides its own name a model is found under `provider/name` when the entry is that
        provider's, and a fine-tuned one (`ft:base:organisation::id`) under `ft:base`.
        """
        if found := self.models.get(model):
            return found
        if tuned := _FINE_TUNED.fullmatch(model):
            return self.models.get(tuned[1])
        provider, slash, name = model.partition("/")
        found = self.models.get(name) if slash else None
        return found if found is not None and found.provider == provider else None


_EMPTY = PublishedTable("", {})


class PriceTable:
    """Answers from the config's globs in their order, else from the published table, else not.

    `published` None reads the litellm extra's table, about 15 ms; litellm itself is not imported.
    """

    def __init__(
        self, prices: Mapping[str, Price], *, published: PublishedTable | None = None
    ) -> None:
        self._prices = tuple(prices.items())
        self._published = read_litellm_table() if published is None else published

    def dollars_saved(
        self, model: str, tokens_saved: int, usage: Usage
    ) -> tuple[float | None, str | None]:
        """Return what `tokens_saved` prompt tokens would have cost, and whose price that is.

        The saved tokens are valued as if the provider had reused the same share of them as of the
        prompt it did get; with no cached count from the provider, at the full price. (None, None)
        where the price is unknown.
        """
        found = self._token_price(model, usage.prompt_tokens or 0)
        if found is None:
            return None, None
        price, source = found
        cached = _cached_share(usage)
        return tokens_saved * (price.input * (1 - cached) + price.cached * cached), source

    def context_window(self, model: str) -> int | None:
        """Return the published number of prompt tokens the model takes; None where unknown."""
        found = self._published.find(model)
        return found.window if found is not None else None

    def per_million(self, model: str) -> tuple[float, float, str] | None:
        """Return dollars per million prompt and completion tokens and whose prices they are.

        From the published table; None where it does not have both.
        """
        found = self._published.find(model)
        if found is None or not found.prices or found.completion is None:
            return None
        return found.prices[0].input * 1e6, found.completion * 1e6, self._published.source

    def _token_price(self, model: str, prompt_tokens: int) -> tuple[TokenPrice, str] | None:
        for pattern, price in self._prices:
            if fnmatchcase(model, pattern):
                per_cached = price.input if price.cached_input is None else price.cached_input
                source = f"config as of {price.as_of.isoformat()}"
                return TokenPrice(price.input / 1e6, per_cached / 1e6), source
        found = self._published.find(model)
        if found is None:
            return None
        fitting = [
            price for price in found.prices if prompt_tokens > price.above or not price.above
        ]
        return (fitting[-1], self._published.source) if fitting else None


def read_litellm_table() -> PublishedTable:
    """Return the price table inside the installed litellm; an empty one when there is none.

    The bundled file is read instead of importing the package, which takes two seconds and fetches
    a table over the network.
    """
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return _EMPTY
    try:
        version = metadata.version("litellm")
        values = orjson.loads((Path(spec.origin).parent / _TABLE_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError, metadata.PackageNotFoundError):
        return _EMPTY
    entries = values.items() if isinstance(values, dict) else ()
    found = {name: _published_model(entry) for name, entry in entries if isinstance(entry, dict)}
    models = {name: model for name, model in found.items() if model.prices or model.window}
    return PublishedTable(f"litellm {version}", models) if models else _EMPTY


def _published_model(entry: Mapping[str, Any]) -> PublishedModel:
    tiers = {0: _PER_TOKEN} | {
        int(match[1]) * 1000: name for name in entry if (match := _TIER.fullmatch(name))
    }
    prices = []
    for above, name in sorted(tiers.items()):
        price = _dollars(entry.get(name))
        if price is not None:
            cached = _dollars(entry.get(name.replace(_PER_TOKEN, _PER_CACHED)))
            prices.append(TokenPrice(price, price if cached is None else cached, above))
    window = entry.get("max_input_tokens")
    provider = entry.get("litellm_provider")
    return PublishedModel(
        provider=provider if isinstance(provider, str) else "",
        prices=tuple(prices) if prices and not prices[0].above else (),
        window=window if isinstance(window, int) and window > 0 else None,
        completion=_dollars(entry.get(_PER_COMPLETION)),
    )


def _dollars(value: object) -> float | None:
    # The table writes 0 for free previews and for prices nobody filled in alike.
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _cached_share(usage: Usage) -> float:
    if not usage.prompt_tokens or not usage.cached_tokens:
        return 0.0
    return min(max(usage.cached_tokens / usage.prompt_tokens, 0.0), 1.0)
