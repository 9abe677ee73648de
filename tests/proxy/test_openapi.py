import json
from typing import Any

import pytest

from proxy.errors import ErrorShape, error_body, not_served, too_many_connections
from proxy.openapi import document, rendered
from proxy.routes import liveness, readiness


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value has exactly the members that an object schema describes, in depth."""
    if "properties" not in schema:
        return True
    members = schema["properties"]
    return (
        isinstance(value, dict)
        and set(value) == set(members) == set(schema["required"])
        and all(fits(value[name], form) for name, form in members.items())
    )


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found


def test_the_document_is_json() -> None:
    assert json.loads(rendered()) == document()


@pytest.mark.parametrize("degraded", [{}, {"shared cache": "down"}, {"classifier": "missing"}])
def test_probes_answer_as_described(degraded: dict[str, str]) -> None:
    _, alive, _ = liveness()
    assert fits(json.loads(alive), schema_of("Status"))
    status, body, content_type = readiness(degraded)
    said, form = json.loads(body), schema_of("Readiness")
    assert fits(said, form)
    assert said["status"] in form["properties"]["status"]["enum"]
    described = document()["paths"]["/readyz"]["get"]["responses"][str(status)]
    assert content_type.decode() in described["content"]


@pytest.mark.parametrize("error", [not_served("GET", "/x"), too_many_connections(1), KeyError()])
def test_errors_have_the_described_form(error: Exception) -> None:
    assert fits(json.loads(error_body(error, "req_1")), schema_of("Error"))
    anthropic = error_body(error, "req_1", ErrorShape.ANTHROPIC)
    assert fits(json.loads(anthropic), schema_of("AnthropicError"))
    assert not fits(json.loads(anthropic), schema_of("Error"))


def test_references_lead_somewhere() -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: Any = document()
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for inner in node.values():
                follow(inner)

    follow(document())


def test_every_path_that_is_served_is_described() -> None:
    """The message for other paths names the same ones."""
    message = not_served("GET", "/x").message
    assert all(path in message for path, found in document()["paths"].items() if "get" in found)
