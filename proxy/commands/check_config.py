"""`tersely check-config`: what is wrong with a config, or what each example request would get."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import orjson
import typer

from policies.match import Router
from policies.types import Match, Policy, RequestFacts, Route
from proxy.config import ConfigError, Loaded, find, read
from proxy.config_file import Problem, dotted
from proxy.config_warnings import warnings
from proxy.control import Control, read_control
from proxy.dialects import DIALECTS
from proxy.errors import RequestRefused

_CHAT = "/v1/chat/completions"
_USUAL = (
    RequestFacts(model="gpt-4o", path=_CHAT, tenant="anonymous"),
    RequestFacts(model="gpt-5-mini", path=_CHAT, tenant="anonymous"),
    RequestFacts(model="gpt-5-mini", path="/v1/responses", tenant="anonymous"),
    RequestFacts(
        model="claude-sonnet-4-5",
        path="/v1/messages",
        tenant="anonymous",
        headers={"anthropic-version": "2023-06-01"},
    ),
    RequestFacts(model="text-embedding-3-small", path="/v1/embeddings", tenant="anonymous"),
    RequestFacts(model="", path="/v1/models", tenant="anonymous"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one example request gets; `route` is None where none takes it."""

    facts: RequestFacts
    route: int | None = None
    line: int | None = None
    upstream: str | None = None
    policy: Policy | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that check-config has to say about one file."""

    path: Path
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    answers: Sequence[Answer] = field(default=())


def check_config(
    path: Annotated[
        Path | None,
        typer.Argument(help="Without it ./config.yaml, else the one Tersely comes with."),
    ] = None,
    *,
    model: Annotated[str | None, typer.Option(help="Ask about a request for this model.")] = None,
    request_path: Annotated[
        str | None, typer.Option("--path", help=f"Ask about this path; {_CHAT} if not given.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE; may be repeated, x-tersely-* as well.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Ask about this tenant.")] = None,
    without_secrets: Annotated[
        bool, typer.Option(help="Accept environment variables that are not set here.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with a config, or which policy each example request would get."""
    asked = None
    if any(value is not None for value in (model, request_path, tenant)) or header:
        asked = RequestFacts(
            model=model or "",
            path=request_path or _CHAT,
            tenant=tenant or "anonymous",
            headers=dict(_header(text) for text in header or ()),
        )
    findings = check(find(path), asked, need_secrets=not without_secrets)
    typer.echo(orjson.dumps(as_dict(findings)).decode() if as_json else as_text(findings))
    if findings.problems:
        raise typer.Exit(1)


def check(path: Path, asked: RequestFacts | None = None, *, need_secrets: bool = True) -> Findings:
    """Read a config and route the request that was `asked` about, or the examples."""
    try:
        loaded = read(path, need_secrets=need_secrets)
    except ConfigError as error:
        return Findings(path, problems=error.problems)
    requests = list(examples(loaded.config.routes)) if asked is None else [asked]
    router = Router(loaded.config.routes)
    answers = [_answer(loaded, router, facts) for facts in requests]
    return Findings(path, warnings=warnings(loaded), answers=answers)


def examples(routes: Sequence[Route]) -> Iterator[RequestFacts]:
    """Yield the usual requests, and for every route one that it is meant for; each once."""
    seen: list[RequestFacts] = []
    for facts in (*_USUAL, *(_meant_for(route.match) for route in routes)):
        if facts not in seen:
            seen.append(facts)
            yield facts


def _meant_for(match: Match) -> RequestFacts:
    path = _CHAT if match.path is None else _example(match.path, "chat/completions")
    return RequestFacts(
        model="gpt-4o" if match.model is None else _example(match.model, ""),
        path=_CHAT if path.startswith("chat/") else path,
        tenant="anonymous" if match.tenant is None else _example(match.tenant, ""),
        headers={name.lower(): _example(value, "") for name, value in match.headers.items()},
    )


def _example(pattern: str, anything: str) -> str:
    """Return a text that the glob matches, with `anything` for its stars."""
    # of a set its first character; of a negated one a character that it most likely lets through
    text = re.sub(r"\[!(?P<not>.[^\]]*)\]", lambda m: "~" if "~" not in m["not"] else "x", pattern)
    text = re.sub(r"\[(.)[^\]]*\]", r"\1", text)
    text = text.replace("?", "x").replace("*", anything)
    return text or "anything"


def _answer(loaded: Loaded, router: Router, facts: RequestFacts) -> Answer:
    try:
        control = read_control(facts.headers, loaded.config.policies)
    except RequestRefused as refused:
        return Answer(facts, note=f"refused with {refused.status}: {refused.message}")
    route = router.first_match(facts)
    if route is None:
        return Answer(facts, note="refused with 404: no route takes it")
    index = loaded.config.routes.index(route)
    return Answer(
        facts,
        route=index,
        line=loaded.line("routes", index),
        upstream=_order(route),
        policy=control.applied(loaded.config.policies[route.policy]),
        note=_note(facts, control),
    )


def _order(route: Route) -> str:
    """Return the upstreams in the order of trying, like `a:3 | b:1, then c`."""
    tiers = (
        " | ".join(f"{name}:{weight}" for name, weight in tier) if len(tier) > 1 else tier[0][0]
        for tier in route.tiers
    )
    return ", then ".join(tiers)


def _note(facts: RequestFacts, control: Control) -> str | None:
    if control.bypass:
        return "bypassed: passed through untouched"
    return None if facts.path in DIALECTS else "not a path that is compressed: passed through"


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"'{text}' is not NAME=VALUE", param_hint="--header")
    return name.strip().lower(), value.strip()


def as_text(findings: Findings) -> str:
    """Return the findings for people."""
    if findings.problems:
        count = len(findings.problems)
        lines = [f"{findings.path}:{problem}" for problem in findings.problems]
        return "\n".join([*lines, f"{count} problem{'s' if count > 1 else ''} found"])
    lines = [f"{findings.path} is fine. What these requests would get:", ""]
    lines += _aligned([_TITLES, *(_row(answer) for answer in findings.answers)])
    notes = [(answer, answer.note) for answer in findings.answers if answer.note is not None]
    if notes:
        lines += ["", *(f"{_request(answer.facts)}: {note}" for answer, note in notes)]
    if findings.warnings:
        lines += ["", *(f"warning: {findings.path}:{found}" for found in findings.warnings)]
    return "\n".join(lines)


_TITLES = ("request", "route", "policy", "mode", "amount", "roles", "upstream")


def _row(answer: Answer) -> tuple[str, ...]:
    request = _request(answer.facts)
    if answer.policy is None:
        return (request, "none", *("-" for _ in _TITLES[2:]))
    policy, where = answer.policy, f"routes[{answer.route}] line {answer.line}"
    roles = ", ".join(sorted(policy.roles))
    if answer.note is not None:
        return (request, where, policy.name, "passed", "-", "-", answer.upstream or "-")
    return (request, where, policy.name, policy.mode, policy.amount, roles, answer.upstream or "-")


def _request(facts: RequestFacts) -> str:
    words = [facts.path, facts.model]
    words += [f"{name}={value}" for name, value in facts.headers.items()]
    if facts.tenant != "anonymous":
        words.append(f"tenant={facts.tenant}")
    return " ".join(word for word in words if word)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_dict(findings: Findings) -> dict[str, object]:
    """Return the findings for programs."""
    return {
        "config": str(findings.path),
        "ok": not findings.problems,
        "problems": [_problem(found) for found in findings.problems],
        "warnings": [_problem(found) for found in findings.warnings],
        "requests": [_request_dict(answer) for answer in findings.answers],
    }


def _problem(problem: Problem) -> dict[str, object]:
    place = problem.place
    key = dotted(problem.key)
    return {"line": place.line, "column": place.column, "key": key, "text": problem.text}


def _request_dict(answer: Answer) -> dict[str, object]:
    facts, policy = answer.facts, answer.policy
    headers: Mapping[str, str] = facts.headers
    return {
        "path": facts.path,
        "model": facts.model,
        "headers": dict(headers),
        "tenant": facts.tenant,
        "route": answer.route,
        "line": answer.line,
        "upstream": answer.upstream,
        "policy": None if policy is None else _policy_dict(policy),
        "note": answer.note,
    }


def _policy_dict(policy: Policy) -> dict[str, object]:
    # a set's order changes from run to run
    return {**policy.model_dump(mode="json", by_alias=True), "roles": sorted(policy.roles)}
