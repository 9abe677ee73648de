import sys
from datetime import date
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import prices as prices_module
from proxy.config import Price
from proxy.prices import (
    PriceTable,
    PublishedModel,
    PublishedTable,
    TokenPrice,
    read_litellm_table,
)
from proxy.savings import Usage

MILLION = 1_000_000
NOTHING = PublishedTable("", {})
PUBLISHED = PublishedTable(
    "a table of May",
    {
        "gpt-4o": PublishedModel("openai", (TokenPrice(2e-6, 1e-6),), 128_000),
        "ft:gpt-4o": PublishedModel("openai", (TokenPrice(4e-6, 4e-6),), 128_000),
        "azure/gpt-4o": PublishedModel("azure", (TokenPrice(3e-6, 3e-6),), 128_000),
        "long": PublishedModel(
            "x", (TokenPrice(1e-6, 1e-6), TokenPrice(2e-6, 2e-6, above=200_000)), None
        ),
        "only-window": PublishedModel("x", (), 4_096),
    },
)


def table(**config: Price) -> PriceTable:
    return PriceTable(config, published=PUBLISHED)


def price(**changes: Any) -> Price:
    return Price(**{"input": 10.0, "cached_input": 1.0, "as_of": date(2026, 11, 1)} | changes)


def test_the_config_comes_first_and_in_its_order() -> None:
    prices = {"gpt-4o": price(input=5.0), "gpt-*": price(input=7.0)}
    found = PriceTable(prices, published=PUBLISHED)
    assert found.dollars_saved("gpt-4o", MILLION, Usage()) == (5.0, "config as of 2026-11-01")
    assert found.dollars_saved("gpt-9", MILLION, Usage()) == (7.0, "config as of 2026-11-01")


def test_then_the_published_table() -> None:
    dollars, source = table().dollars_saved("gpt-4o", MILLION, Usage())
    assert (dollars, source) == (pytest.approx(2.0), "a table of May")


@pytest.mark.parametrize(
    "model", ["", "gpt-4", "gpt-4o-2099-01-01", "GPT-4o", "gpt", "only-window", "anthropic/gpt-4o"]
)
def test_an_unknown_price_is_none(model: str) -> None:
    assert table().dollars_saved(model, MILLION, Usage()) == (None, None)


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("openai/gpt-4o", 2.0),  # the entry is that provider's
        ("azure/gpt-4o", 3.0),  # an entry of its own
        ("ft:gpt-4o:my-org::abc123", 4.0),
    ],
)
def test_other_names_of_the_same_model(model: str, dollars: float) -> None:
    assert table().dollars_saved(model, MILLION, Usage())[0] == pytest.approx(dollars)


def test_a_fine_tuned_model_never_takes_the_base_price() -> None:
    published = PublishedTable("t", {"gpt-4o": PUBLISHED.models["gpt-4o"]})
    found = PriceTable({}, published=published)
    assert found.dollars_saved("ft:gpt-4o:org::id", MILLION, Usage()) == (None, None)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(1000, 5, 0), 10.0),
        (Usage(1000, 5, 1000), 1.0),
        (Usage(1000, 5, 500), 5.5),
        (Usage(1000, 5, None), 10.0),
        (Usage(None, None, 500), 10.0),
        (Usage(0, 0, 500), 10.0),
        (Usage(1000, 5, 9000), 1.0),  # more than all of it cannot have been cached
        (Usage(1000, 5, -5), 10.0),
    ],
)
def test_the_cached_share_is_valued_at_its_price(usage: Usage, dollars: float) -> None:
    found, _ = table(m=price()).dollars_saved("m", MILLION, usage)
    assert found == pytest.approx(dollars)


def test_without_a_cached_price_cached_tokens_cost_the_same() -> None:
    found = table(m=price(cached_input=None))
    assert found.dollars_saved("m", MILLION, Usage(10, 0, 10))[0] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("prompt", "dollars"), [(None, 1.0), (200_000, 1.0), (200_001, 2.0), (900_000, 2.0)]
)
def test_long_prompts_have_their_own_price(prompt: int | None, dollars: float) -> None:
    found, _ = table().dollars_saved("long", MILLION, Usage(prompt, 0, 0))
    assert found == pytest.approx(dollars)


def test_a_config_price_of_zero_is_a_price() -> None:
    assert table(m=price(input=0.0)).dollars_saved("m", MILLION, Usage())[0] == 0.0


@given(
    saved=st.integers(0, 10**9),
    prompt=st.integers(1, 10**6),
    share=st.floats(0, 1),
)
def test_the_estimate_lies_between_the_two_prices(saved: int, prompt: int, share: float) -> None:
    usage = Usage(prompt, 0, int(prompt * share))
    found, _ = table(m=price()).dollars_saved("m", saved, usage)
    assert found is not None
    assert saved * 1e-6 * (1 - 1e-9) <= found <= saved * 10e-6 * (1 + 1e-9)


def test_context_windows() -> None:
    found = table()
    assert found.context_window("gpt-4o") == 128_000
    assert found.context_window("openai/gpt-4o") == 128_000
    assert found.context_window("only-window") == 4_096
    assert found.context_window("long") is None
    assert found.context_window("nobody") is None


def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes | None) -> None:
    package = tmp_path / "litellm"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('litellm must not be imported')")
    if text is not None:
        (package / "model_prices_and_context_window_backup.json").write_bytes(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "litellm", raising=False)
    monkeypatch.setattr(metadata, "version", lambda name: "9.9.9")


def test_the_extra_s_table_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {
        "sample_spec": {"input_cost_per_token": 0.0, "max_input_tokens": "the number of tokens"},
        "m": {
            "input_cost_per_token": 1e-6,
            "cache_read_input_token_cost": 1e-7,
            "input_cost_per_token_above_200k_tokens": 2e-6,
            "cache_read_input_token_cost_above_200k_tokens": 2e-7,
            "input_cost_per_token_above_128k_tokens_batches": 9e-6,
            "litellm_provider": "p",
            "max_input_tokens": 1_000_000,
        },
        "free-preview": {"input_cost_per_token": 0, "max_input_tokens": 32_768},
        "odd": {"input_cost_per_token": None, "max_input_tokens": -1, "litellm_provider": 3},
    }
    _installed(tmp_path, monkeypatch, orjson.dumps(entries))
    found = read_litellm_table()
    assert found.source == "litellm 9.9.9"
    assert dict(found.models) == {
        "m": PublishedModel(
            "p", (TokenPrice(1e-6, 1e-7), TokenPrice(2e-6, 2e-7, 200_000)), 1_000_000
        ),
        "free-preview": PublishedModel("", (), 32_768),
    }


@pytest.mark.parametrize("text", [None, b"", b"not json", b"[]", b'{"m": 3}'])
def test_a_table_that_cannot_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes | None
) -> None:
    _installed(tmp_path, monkeypatch, text)
    assert read_litellm_table() == NOTHING


def test_without_the_extra_there_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices_module, "find_spec", lambda name: None)
    assert PriceTable({}).dollars_saved("gpt-4o", MILLION, Usage()) == (None, None)


@pytest.mark.skipif(find_spec("litellm") is None, reason="the litellm extra is not installed")
def test_the_installed_extra_knows_a_well_known_model() -> None:
    found = read_litellm_table()
    dollars, source = PriceTable({}, published=found).dollars_saved("gpt-4o", MILLION, Usage())
    assert dollars is not None
    assert dollars > 0
    assert source == f"litellm {metadata.version('litellm')}"


def test_prices_of_both_kinds_of_token() -> None:
    model = PublishedModel("x", (TokenPrice(2e-6, 1e-6),), None, completion=8e-6)
    found = PriceTable({}, published=PublishedTable("a table", {"m": model})).per_million("m")
    assert found == (pytest.approx(2), pytest.approx(8), "a table")
    assert table().per_million("gpt-4o") is None  # one of them is not there
    assert table().per_million("unknown") is None


@pytest.mark.skipif(find_spec("litellm") is None, reason="needs the litellm extra")
def test_the_published_table_has_both() -> None:
    found = PriceTable({}).per_million("gpt-4o")
    assert found is not None
    assert found[1] > found[0] > 0
