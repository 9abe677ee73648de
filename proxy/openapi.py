"""The OpenAPI description of what Tersely itself serves, beside the API that it passes on."""

from collections.abc import Mapping
from typing import Any

import orjson

from proxy.text_compression import PATH, CompressRequest

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
_COMPRESSED_TEXT = {
    "text": {"type": "string"},
    "tokens_before": {"type": "integer"},
    "tokens_after": {"type": "integer"},
    "rate": {"type": "number"},
    "reason": {"type": "string"},
    "budget_unmet": {"type": "boolean"},
    "protected": {"type": "integer"},
    "restored": {"type": "integer"},
    "lost": {"type": "integer"},
    "cache": {"type": ["string", "null"]},
    "failure": {"type": ["string", "null"]},
}
_COMPRESSION = {
    "object": {"const": "compression"},
    "model": {"type": "string"},
    "policy": {"type": "string"},
    "encoding": {"type": "string"},
    "tokens_estimated": {"type": "boolean"},
    "tokens_before": {"type": "integer"},
    "tokens_after": {"type": "integer"},
    "results": {
        "type": "array",
        "items": {
            "type": "object",
            "required": [*_COMPRESSED_TEXT],
            "additionalProperties": False,
            "properties": _COMPRESSED_TEXT,
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
            PATH: {"post": _compress()},
            "/openapi.json": _read("This description", {"200": _answer("It.", JSON)}),
        },
        "components": {
            "schemas": {
                "Status": _STATUS,
                "Readiness": _READINESS,
                "Compression": {
                    "type": "object",
                    "required": [*_COMPRESSION],
                    "additionalProperties": False,
                    "properties": _COMPRESSION,
                },
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


def _compress() -> dict[str, Any]:
    """Return the operation that shortens texts; docs/compress-api.md has its members in words."""
    refusals = {
        "400": "The body is not what is asked for.",
        "401": "A proxy key is needed.",
        "403": "The key is not allowed to do this.",
        "413": "The body is too large.",
        "429": "A limit of the tenant is reached.",
        "503": "Too many requests at once.",
    }
    request = {"schema": CompressRequest.model_json_schema()}
    return {
        "summary": "Shorten texts without asking an upstream",
        "requestBody": {"required": True, "content": {JSON: request}},
        "responses": {
            "200": _answer("The shorter texts.", JSON, "Compression"),
            **{status: _answer(said, JSON, "Error") for status, said in refusals.items()},
        },
    }


def _read(summary: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operations of a path that is only read."""
    heads = {status: {"description": found["description"]} for status, found in answers.items()}
    wrong = {"405": {"$ref": "#/components/responses/WrongMethod"}}
    return {
        "get": {"summary": summary, "responses": {**answers, **wrong}},
        "head": {"summary": summary, "responses": {**heads, "405": wrong["405"]}},
    }
