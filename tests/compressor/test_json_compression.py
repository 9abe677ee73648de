import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.contexts import ContextFilter
from compressor.engine import Compressor
from compressor.json_compression import CompressedJson, KeySettings, compress_json, json_text
from compressor.tokens import Tokenizers
from compressor.types import Settings
from tests.compressor.scripted_classifier import ScriptedClassifier

TOKENIZERS = Tokenizers()
COUNTER = TOKENIZERS.counter("o200k_base")
PROSE = (
    'The harbour was closed, "for now", because a storm had come over the islands during the '
    "night,,, and the boats stayed where they were\nuntil the wind had turned again."
)
DATA: dict[str, Any] = {
    "id": 987654321987654321987654321,
    "ref": "usr_9f2c",
    "title": "Harbour news of today",
    "ratio": 1e22,
    "open": False,
    "none": None,
    "body": PROSE,
    "tags": ["storm", PROSE, {"note": PROSE, "n": [1, 2.50, "two"]}],
    "": {},
}
HALF = {"body": KeySettings(rate=0.5), "tags": KeySettings(rate=0.3)}


@pytest.fixture(scope="module")
def compressor() -> Iterator[Compressor]:
    likely = {"harbour": 0.9, "storm": 0.8, "islands": 0.7}
    with Compressor(ScriptedClassifier(likely), TOKENIZERS, workers=1) as compressor:
        yield compressor


def compress(
    compressor: Compressor, keys: dict[str, KeySettings], data: Any = DATA, **amount: Any
) -> CompressedJson:
    return compress_json(compressor, data, keys, Settings(**amount or {"rate": 0.5}))


def shape(value: object) -> object:
    """Return a value with its long strings blanked."""
    if isinstance(value, str):
        return value if len(value.split()) < 5 else "…"
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return value


def test_only_long_strings_change_and_by_their_keys_rate(compressor: Compressor) -> None:
    found = compress(compressor, HALF)
    assert shape(found.data) == shape(DATA)
    assert json.loads(found.text) == found.data
    assert list(found.data) == list(DATA)
    for text, rate in ((found.data["body"], 0.5), (found.data["tags"][2]["note"], 0.3)):
        assert COUNTER.count(text) / COUNTER.count(PROSE) == pytest.approx(rate, abs=0.06)
    assert (found.tokens_before, found.tokens_after) == (
        COUNTER.count(json_text(DATA)),
        COUNTER.count(found.text),
    )
    assert found.removed == ()


def test_keys_without_settings_and_settings_without_keys_are_fine(compressor: Compressor) -> None:
    assert compress(compressor, {}).data == DATA
    assert compress(compressor, {"nowhere": KeySettings(rate=0.1)}).data == DATA
    assert compress(compressor, {"body": KeySettings(rate=0.1, compress=False)}).data == DATA
    assert compress(compressor, {"body": KeySettings(rate=1)}).data == DATA


def test_without_a_rate_the_global_amount_decides(compressor: Compressor) -> None:
    keys = {"body": KeySettings(), "tags": KeySettings(rate=1)}
    by_rate = compress(compressor, keys, rate=0.4).data["body"]
    assert COUNTER.count(by_rate) / COUNTER.count(PROSE) == pytest.approx(0.4, abs=0.06)
    kept = compress(compressor, keys, threshold=0.65).data["body"]
    assert {"harbour", "storm", "islands"} <= set(re.findall(r"\w+", kept))
    assert "boats" not in kept


def test_what_has_no_spaces_is_an_id_and_japanese_is_not(compressor: Compressor) -> None:
    data = {
        "id": "a:b/c|d;e,f:g#h{i}",
        "name": "กက々က一",
        "ja": "富士山の高さは三千七百メートルあまりで、とても高い山だ。",
    }
    keys = {key: KeySettings(rate=0.5) for key in data}
    found = compress(compressor, keys, data=data).data
    assert (found["id"], found["name"]) == (data["id"], data["name"])
    assert 0 < len(found["ja"]) < len(data["ja"])


def test_a_cap_is_on_the_whole_json(compressor: Compressor) -> None:
    keys = {"body": KeySettings(), "tags": KeySettings()}
    whole = COUNTER.count(json_text(DATA))
    for cap in (whole, whole - 20, 120):
        found = compress(compressor, keys, target_tokens=cap)
        assert cap * 0.9 <= found.tokens_after <= cap
        assert shape(found.data) == shape(DATA) or cap == 120
        assert not found.budget_unmet
    assert compress(compressor, keys, target_tokens=30).budget_unmet


def test_pairs_are_removed_only_where_they_may_be(compressor: Compressor) -> None:
    data = {
        "keep": "nothing likely in here at all",
        "dull": "there is nothing of any weight in here",
        "good": "harbour storm islands and harbour storm",
        "fixed": 3,
    }
    keys = {key: KeySettings(rate=1, pair_remove=key in ("dull", "good")) for key in data}
    found = compress_json(
        compressor,
        data,
        keys,
        Settings(rate=1),
        pair_filter=ContextFilter(target_contexts=3),
    )
    assert found.data == {key: data[key] for key in ("keep", "good", "fixed")}
    assert found.removed == ("dull",)
    everything = compress_json(
        compressor, data, keys, Settings(rate=1), pair_filter=ContextFilter()
    )
    assert everything.data == data


def test_llmlinguas_entries_are_read() -> None:
    written = {"rate": 1, "compress": False, "pair_remove": True, "value_type": "List"}
    assert KeySettings.read("k", written) == KeySettings(1.0, False, True, "List")
    assert KeySettings.read("k", {}) == KeySettings()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, r"json_config\['k'\] is None; it is an object of rate"),
        ({"ratio": 1}, r"json_config\['k'\]: 'ratio' is none of rate, compress"),
        ({"rate": 0}, "rate is 0;"),
        ({"rate": True}, "rate is True;"),
        ({"rate": "0.5"}, "rate is '0.5';"),
        ({"compress": "no"}, "compress is 'no', no boolean"),
        ({"value_type": "set"}, "value_type is 'set'; it is one of bool"),
    ],
)
def test_an_entry_that_cannot_be_names_its_key(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KeySettings.read("k", written)


def test_what_is_no_json_is_refused(compressor: Compressor) -> None:
    with pytest.raises(TypeError, match="set"):
        compress(compressor, {}, data={"a": {1}})
    with pytest.raises(ValueError, match="JSON"):
        compress(compressor, {}, data={"a": float("nan")})
    with pytest.raises(TypeError, match=r"the data is a str, no object: parse .* json\.loads"):
        compress(compressor, {}, data='{"a": 1}')
    with pytest.raises(TypeError, match="the data is a list, no object"):
        compress(compressor, {}, data=[{"a": 1}])


FLAT = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=5)
VALUES = st.recursive(
    FLAT | st.text(max_size=30) | st.just(PROSE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def may_change(text: str) -> bool:
    """Whether a string is long enough: by its words, or written without spaces by its length."""
    unspaced = re.findall(
        "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u312f\u31f0-\u31ff"
        "\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003fffd]",
        text,
    )
    return len(text.split()) >= 5 or len(unspaced) >= 12


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.floats(0.1, 1))
def test_any_object_keeps_its_shape(compressor: Compressor, data: Any, rate: float) -> None:
    found = compress(compressor, {key: KeySettings(rate=rate) for key in data}, data=data)
    parsed = json.loads(found.text)

    def same(before: object, after: object) -> bool:
        if isinstance(before, str) and isinstance(after, str):
            return before == after or (len(after) < len(before) and may_change(before))
        if isinstance(before, dict) and isinstance(after, dict):
            return list(before) == list(after) and all(same(before[k], after[k]) for k in before)
        if isinstance(before, list) and isinstance(after, list):
            return len(before) == len(after) and all(map(same, before, after))
        return before == after and type(before) is type(after)

    assert same(data, parsed)


@pytest.mark.parametrize("levels", [400, 3_000])
def test_data_nested_too_deep_is_refused(compressor: Compressor, levels: int) -> None:
    deep: Any = PROSE
    for level in range(levels):
        deep = [deep] if level % 2 else {"n": deep}
    with pytest.raises(ValueError, match="nested deeper than 200 levels"):
        compress(compressor, HALF, {"body": deep})


def test_data_nested_as_deep_as_may_be_is_shortened(compressor: Compressor) -> None:
    deep: Any = PROSE
    for level in range(199):
        deep = [deep] if level % 2 else {"n": deep}
    out = compress(compressor, HALF, {"body": deep})
    assert out.tokens_after < out.tokens_before
    assert shape(out.data) == shape({"body": deep})
