"""A record as JSON and back: the one form that the SQLite file and the Redis stream hold."""

from dataclasses import asdict, fields, replace
from typing import Any

import orjson
import zstandard
from pydantic import TypeAdapter, ValidationError

from proxy.savings import CompressionReport, PartReport, SavingsRecord

SCHEMA_VERSION = 1

_FIELDS = tuple(f.name for f in fields(SavingsRecord) if f.name != "report")
_RECORD = TypeAdapter(SavingsRecord)
_MAX_INT = 2**63 - 1
_SMALL = 1024


class RecordError(ValueError):
    """Stored bytes that are not a record this version can read."""


def to_json(record: SavingsRecord, *, parts: bool = True) -> bytes:
    """Return the record as one JSON object without line breaks; never raises.

    Without `parts` the report's parts are empty, for stores that keep them apart. Members that
    JSON cannot hold (lone surrogates, integers beyond 64 bits) are replaced.
    """
    values: dict[str, Any] = {"v": SCHEMA_VERSION}
    for name in _FIELDS:
        values[name] = getattr(record, name)
    values["report"] = record.report if parts else _without_parts(record.report)
    try:
        return orjson.dumps(values)
    except TypeError:  # orjson's own error is a TypeError too
        values["usage"] = asdict(record.usage)
        values["report"] = asdict(values["report"])
        return orjson.dumps(storable(values))


def from_json(data: bytes | str, parts: bytes | None = None) -> SavingsRecord:
    """Return the record that `to_json` wrote, with the parts that `pack_parts` packed, if any.

    Members it does not know are passed over. Raises RecordError for anything else, a later schema
    version included.
    """
    try:
        values = orjson.loads(data)
        if not isinstance(values, dict):
            raise RecordError("not a JSON object")
        version = values.get("v")
        if version != SCHEMA_VERSION:
            raise RecordError(f"schema version {version!r}, this is version {SCHEMA_VERSION}")
        if parts is not None and isinstance(values.get("report"), dict):
            values["report"]["parts"] = orjson.loads(_unpacked(parts))
        return _RECORD.validate_python(values)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error}") from error
    except zstandard.ZstdError as error:
        raise RecordError(f"its parts are damaged: {error}") from error
    except ValidationError as error:
        raise RecordError(_first_fault(error)) from error


def pack_parts(parts: tuple[PartReport, ...]) -> bytes | None:
    """Return the parts as JSON, zstd-compressed from 1 kB up; None for none.

    A conversation of 200 messages reports 40 kB of parts that are much alike; packed they are
    about 2 kB.
    """
    if not parts:
        return None
    try:
        data = orjson.dumps(parts)
    except TypeError:
        data = orjson.dumps(storable([asdict(part) for part in parts]))
    return data if len(data) < _SMALL else zstandard.compress(data, 3)


def _unpacked(parts: bytes) -> bytes:
    return parts if parts.startswith(b"[") else zstandard.decompress(parts)


def _without_parts(report: CompressionReport) -> CompressionReport:
    return replace(report, parts=()) if report.parts else report


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}"


def storable(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return the value without what JSON cannot hold: lone surrogates, integers over 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {name: storable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [storable(member) for member in value]
    if isinstance(value, int) and abs(value) > _MAX_INT:
        return None
    return value
