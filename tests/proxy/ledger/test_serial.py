import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from proxy.ledger.serial import RecordError, from_json, pack_parts, to_json
from proxy.savings import PartReport, SavingsRecord, Usage
from tests.proxy.ledger.records import make_record, records


@given(record=records)
@settings(max_examples=150, deadline=None)
def test_a_record_comes_back_as_it_was(record: SavingsRecord) -> None:
    line = to_json(record)
    assert b"\n" not in line
    assert from_json(line) == record


@given(record=records)
@settings(max_examples=100, deadline=None)
def test_parts_kept_apart_come_back(record: SavingsRecord) -> None:
    assert from_json(to_json(record, parts=False), pack_parts(record.report.parts)) == record


def test_the_form_is_plain_json_with_its_version() -> None:
    values = json.loads(to_json(make_record(model="m")))
    assert values["v"] == 1
    assert values["model"] == "m"
    assert values["ending"] == "finished"
    assert values["report"]["tokens_before"] == 1000
    assert values["report"]["parts"][0]["cache"] == "miss"


def test_many_parts_pack_to_little() -> None:
    part = make_record().report.parts[0]
    many = tuple(replace(part, path=f"messages.{number}.content") for number in range(200))
    packed = pack_parts(many)
    assert packed is not None
    assert len(packed) < 4_000


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "lone \ud800 surrogate"},
        {"path": "/v1/\udcff"},
        {"usage": Usage(10**30, None, None)},
        {"parts": (PartReport("messages.0.\ud800", "user", "rate 0.4", 10, 5),)},
        {"note": "\udfff"},
    ],
)
def test_what_json_cannot_hold_is_replaced_and_the_rest_kept(changes: dict[str, Any]) -> None:
    record = make_record(**changes)
    whole = from_json(to_json(record))
    apart = from_json(to_json(record, parts=False), pack_parts(record.report.parts))
    assert whole == apart
    assert whole.id == record.id
    assert whole.report.tokens_before == 1000
    assert len(whole.report.parts) == 1


def test_a_later_version_may_add_members() -> None:
    values = json.loads(to_json(make_record()))
    values["colour"] = "blue"
    values["report"]["depth"] = 3
    assert from_json(json.dumps(values)) == make_record()


def test_members_with_a_default_may_be_missing() -> None:
    values = json.loads(to_json(make_record()))
    del values["dollars_shadow"], values["report"]["note"]
    assert from_json(json.dumps(values)) == make_record()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{}", "schema version None"),
        (b'{"v": 2}', "schema version 2, this is version 1"),
        (b'{"v": 1}', "Field required"),
        (b'{"v": 1, "report": []}', "Field required"),
        (to_json(make_record()).replace(b'"finished"', b'"vanished"'), "ending"),
        (to_json(make_record()).replace(b":1000", b':"many"'), "tokens_before"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_anything_else_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        from_json(data)


@pytest.mark.parametrize("packed", [b"", b"junk", b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00{"])
def test_damaged_parts_are_refused(packed: bytes) -> None:
    with pytest.raises(RecordError):
        from_json(to_json(make_record()), packed)
