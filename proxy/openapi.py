"""The OpenAPI description of what Tersely itself serves, beside the API that it passes on."""

from collections.abc import Mapping
from typing import Any

import orjson

JSON = "application/json"
TEXT = "text/plain"

_STATUS = {
    "type": "object",
    "required": ["status"],
    "additionalProperties": False,
    "properties": {"status": {"const": "ok"}},
}
_READINESS = {
    "type": "object",
    "required": ["status", "degraded"],
    "additionalProperties": False,
    "properties": {
        "status": {"enum": ["ready", "degraded", "unavailable"]},
        "degraded": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What does not work now and why, by component.",
        },
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_ANTHROPIC_ERROR = {
    "type": "object",
    "required": ["type", "error", "request_id"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "additionalProperties": False,
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "request_id": {"type": "string"},
    },
}


def document() -> dict[str, Any]:
    """Return the description, in the form of OpenAPI 3.1.

    The version in it is its own; it rises when an answer here changes its form.
    """
    wrong_method = {
        "description": "Only GET and HEAD are served here.",
        "headers": {
            "Allow": {"required": True, "schema": {"const": "GET, HEAD"}},
            "X-Request-Id": {"required": True, "schema": {"type": "string"}},
        },
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    alive = _answer("It is.", JSON, "Status")
    now = "Nothing is missing, or only what requests can do without."
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tersely",
            "version": "1",
            "description": "What Tersely serves itself. Everything under /v1 is the API of the "
            "upstream and described by its provider; what Tersely refuses there has the form of "
            "Error, or of AnthropicError for clients that name an anthropic-version.",
        },
        "paths": {
            "/healthz": _read("Whether the process is up", {"200": alive}),
            "/readyz": _read(
                "Whether prompts can be compressed",
                {
                    "200": _answer(now, JSON, "Readiness"),
                    "503": _answer("There is no classifier (yet).", JSON, "Readiness"),
                },
            ),
            "/metrics": _read("Prometheus metrics", {"200": _answer("The metrics.", TEXT)}),
            "/openapi.json": _read("This description", {"200": _answer("It.", JSON)}),
        },
        "components": {
            "schemas": {
                "Status": _STATUS,
                "Readiness": _READINESS,
                "Error": _ERROR,
                "AnthropicError": _ANTHROPIC_ERROR,
            },
            "responses": {"WrongMethod": wrong_method},
        },
    }


def rendered() -> bytes:
    """Return the description as JSON."""
    return orjson.dumps(document())


def _answer(description: str, content_type: str, schema: str | None = None) -> dict[str, Any]:
    kind = "string" if content_type == TEXT else "object"
    form = {"type": kind} if schema is None else {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {content_type: {"schema": form}}}


def _read(summary: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operations of a path that is only read."""
    heads = {status: {"description": found["description"]} for status, found in answers.items()}
    wrong = {"405": {"$ref": "#/components/responses/WrongMethod"}}
    return {
        "get": {"summary": summary, "responses": {**answers, **wrong}},
        "head": {"summary": summary, "responses": {**heads, "405": wrong["405"]}},
    }
