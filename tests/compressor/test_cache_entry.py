import sys

import orjson
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.cache_entry import EntryUnreadable, FernetCipher, decode_entry, encode_entry
from compressor.types import CompressionResult, Kind, VerifiedCount

KEY = b"k" * 32
COUNTS = st.integers(0, 2**31)
RESULTS = st.builds(
    CompressionResult,
    text=st.text(st.characters()),
    tokens_before=COUNTS,
    tokens_after=COUNTS,
    kept=st.just(()),
    unchanged=st.none() | st.just("nothing to drop"),
    budget_unmet=st.booleans(),
    verified=st.dictionaries(
        st.sampled_from(Kind), st.builds(VerifiedCount, COUNTS, COUNTS, COUNTS, COUNTS)
    ),
)
PLAIN = CompressionResult("kept words", 10, 2, ())


@settings(max_examples=150, deadline=None)
@given(RESULTS)
def test_what_is_written_reads_the_same(result: CompressionResult) -> None:
    assert decode_entry(KEY, encode_entry(KEY, result)) == result


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_never_an_entry(data: bytes) -> None:
    with pytest.raises(EntryUnreadable):
        decode_entry(KEY, data)


@settings(max_examples=150, deadline=None)
@given(RESULTS, st.data())
def test_a_damaged_or_shortened_text_is_noticed(
    result: CompressionResult, data: st.DataObject
) -> None:
    written = encode_entry(KEY, result)
    begin = written.index(b"\n") + 1
    if begin == len(written):
        return
    where = data.draw(st.integers(begin, len(written) - 1))
    flipped = written[:where] + bytes([written[where] ^ 1]) + written[where + 1 :]
    for damaged in (flipped, written[:where]):
        with pytest.raises(EntryUnreadable):
            decode_entry(KEY, damaged)


def test_an_entry_of_another_key_is_refused() -> None:
    with pytest.raises(EntryUnreadable, match="another key"):
        decode_entry(b"o" * 32, encode_entry(KEY, PLAIN))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 1},
        {"before": -1},
        {"before": True},
        {"before": "10"},
        {"after": None},
        {"unchanged": 3},
        {"budget_unmet": "no"},
        {"verified": []},
        {"verified": {"number": 1}},
        {"verified": {"number": [1, 1, 1]}},
        {"verified": {"number": [1, 1, 1, -1]}},
        {"verified": {"no such kind": [1, 1, 1, 1]}},
    ],
    ids=str,
)
def test_fields_of_the_wrong_kind_are_refused(changes: dict[str, object]) -> None:
    line, _, text = encode_entry(KEY, PLAIN).partition(b"\n")
    forged = orjson.dumps(orjson.loads(line) | changes) + b"\n" + text
    with pytest.raises(EntryUnreadable):
        decode_entry(KEY, forged)


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_encrypted_values_show_nothing_and_come_back() -> None:
    cipher = FernetCipher(new_key())
    token = cipher.encrypt(encode_entry(KEY, PLAIN))
    assert b"kept words" not in token
    assert decode_entry(KEY, cipher.decrypt(token)) == PLAIN


def test_values_of_another_encryption_key_are_unreadable() -> None:
    token = FernetCipher(new_key()).encrypt(b"secret")
    for foreign in (token, b"never encrypted", b""):
        with pytest.raises(EntryUnreadable, match="not encrypted with this key"):
            FernetCipher(new_key()).decrypt(foreign)


@pytest.mark.parametrize("key", ["", "short", "not base64 at all, clearly not !", "é" * 44])
def test_a_bad_encryption_key_is_explained(key: str) -> None:
    with pytest.raises(ValueError, match=r"not a Fernet key.*generate_key"):
        FernetCipher(key)


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(ValueError, match=r"tersely\[encryption\]"):
        FernetCipher("any")
