"""What a policy makes of one body's texts, and the report of it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from compressor.types import Failure, Kind, Outcome, PartCompressor, Settings
from policies.types import Decision, Mode, Policy, Protections, Role, TextPart
from proxy.counting import Counts
from proxy.dialects.base import BodyText
from proxy.json_spans import format_path
from proxy.savings import CompressionReport, PartReport, Treatment

_FAILURES = {
    Failure.DEADLINE: "it was not compressed by the deadline of {deadline_ms} ms",
    Failure.OVERLOADED: "too many texts were waiting to be compressed",
    Failure.CLASSIFIER_UNAVAILABLE: "the classifier is not available",
    Failure.ERROR: "compressing it failed",
    Failure.EARLIER_FAILURE: "it went out so before, after a failure, and stays so for a time",
}


Numbers = Callable[[float | str], float]
"""Returns the number that a threshold's name stands for, a number as it is."""


@dataclass(frozen=True, slots=True)
class Treated:
    """The report, and the texts that are to be sent in another form than they came in."""

    report: CompressionReport
    changes: tuple[tuple[BodyText, str], ...] = ()


def text_parts(texts: Iterable[BodyText], tokens: Iterable[int]) -> list[TextPart]:
    """Return texts as policies look at them."""
    return [
        TextPart(role=text.role, path=text.path, text=text.text, tokens=count)
        for text, count in zip(texts, tokens, strict=True)
    ]


def leave_alone(
    policy: Policy, treatment: Treatment, parts: Sequence[TextPart], counts: Counts, reason: str
) -> Treated:
    """Return the report of a request whose texts all stay, for the same `reason`."""
    kept = [_kept(part, reason) for part in parts]
    return Treated(_report(policy.name, treatment, counts, kept, sent=None, compress_ms=0.0))


async def treat(
    policy: Policy,
    texts: Sequence[BodyText],
    parts: Sequence[TextPart],
    decisions: Sequence[Decision],
    counts: Counts,
    *,
    compressor: PartCompressor,
    tenant: str,
    questions: Sequence[str | None] | None = None,
    number_of: Numbers | None = None,
) -> Treated:
    """Compress what was decided on, all at once, and report on every part.

    `number_of` makes numbers of thresholds with names, before any cache is asked.
    `texts`, `parts` and `decisions` go together by position, and so do `questions`, where the
    policy is question-aware. In shadow mode nothing is changed.
    """
    if number_of is not None:
        decisions = [_with_number(decision, number_of) for decision in decisions]
    if questions is None:
        questions = [None] * len(parts)
    else:
        triples = zip(decisions, parts, questions, strict=True)
        decisions = [_with_question(*triple) for triple in triples]
    began = time.perf_counter()
    outcomes = await _compress(
        policy,
        parts,
        decisions,
        counts.encoding,
        compressor=compressor,
        tenant=tenant,
        questions=questions,
    )
    elapsed_ms = (time.perf_counter() - began) * 1000 if outcomes else 0.0
    reports: list[PartReport] = []
    changes: list[tuple[BodyText, str]] = []
    for index, (text, part, decision) in enumerate(zip(texts, parts, decisions, strict=True)):
        outcome = outcomes.get(index)
        if outcome is None:
            reports.append(_kept(part, decision.reason))
            continue
        shorter = _is_shorter(outcome, part)
        reports.append(_compressed(part, decision, outcome, policy.deadline_ms, shorter=shorter))
        if shorter and policy.mode is Mode.ON:
            changes.append((text, outcome.text))
    shadow = policy.mode is Mode.SHADOW
    sent = sum(part.tokens for part in parts) if shadow else None
    treatment = _treatment(policy.mode, reports, asked=bool(outcomes), changed=bool(changes))
    report = _report(policy.name, treatment, counts, reports, sent=sent, compress_ms=elapsed_ms)
    return Treated(report, tuple(changes))


async def _compress(
    policy: Policy,
    parts: Sequence[TextPart],
    decisions: Sequence[Decision],
    encoding: str,
    *,
    compressor: PartCompressor,
    tenant: str,
    questions: Sequence[str | None],
) -> dict[int, Outcome]:
    """Return the outcome of every part that was to be compressed, by its position."""
    chosen = [index for index, decision in enumerate(decisions) if decision.compress]
    if not chosen:
        return {}
    kinds = _kinds(policy.protect)
    async with asyncio.TaskGroup() as group:
        tasks = {
            index: group.create_task(
                compressor.compress(
                    parts[index].text,
                    _settings(
                        policy, parts[index], decisions[index], kinds, encoding, questions[index]
                    ),
                    tenant=tenant,
                    deadline_ms=policy.deadline_ms,
                )
            )
            for index in chosen
        }
    return {index: task.result() for index, task in tasks.items()}


def _settings(
    policy: Policy,
    part: TextPart,
    decision: Decision,
    kinds: frozenset[Kind],
    encoding: str,
    question: str | None,
) -> Settings:
    return Settings(
        rate=decision.rate,
        threshold=decision.threshold,
        target_tokens=decision.target_tokens,
        protect=kinds,
        force_tokens=policy.force_tokens if policy.protect.forced else (),
        json_prose=policy.json_prose,
        force_digits=policy.force_digits,
        drop_consecutive=policy.drop_consecutive,
        encoding=encoding,
        question=question,
        tool_description=part.role is Role.TOOL_SCHEMA,
    )


def _with_number(decision: Decision, number_of: Numbers) -> Decision:
    """Return a decision with the number of its threshold's name, and both in its reason."""
    if not isinstance(decision.threshold, str):
        return decision
    number = number_of(decision.threshold)
    return replace(decision, threshold=number, reason=f"{decision.reason} ({number:g})")


def _with_question(decision: Decision, part: TextPart, question: str | None) -> Decision:
    """Return a decision whose reason says whether there was a question to go by."""
    if not decision.compress or part.role is Role.TOOL_SCHEMA:
        return decision
    how = "question-aware" if question else "question-blind: the last user message asks nothing"
    return replace(decision, reason=f"{decision.reason}, {how}")


def _kinds(protect: Protections) -> frozenset[Kind]:
    chosen = protect.model_dump(by_alias=True)
    return frozenset(kind for kind in Kind if chosen[kind.value])


def _is_shorter(outcome: Outcome, part: TextPart) -> bool:
    """Return whether sending the compressed text saves tokens."""
    result = outcome.result
    return result is not None and outcome.text != part.text and result.tokens_after < part.tokens


def _kept(part: TextPart, reason: str) -> PartReport:
    return PartReport(
        path=format_path(part.path),
        role=part.role.value,
        reason=reason,
        tokens_before=part.tokens,
        tokens_after=part.tokens,
    )


def _compressed(
    part: TextPart, decision: Decision, outcome: Outcome, deadline_ms: int, *, shorter: bool
) -> PartReport:
    result, failure = outcome.result, outcome.failure
    if failure is not None:
        reason = f"sent as the original: {_FAILURES[failure].format(deadline_ms=deadline_ms)}"
    elif shorter:
        reason = decision.reason
    else:
        why = result.unchanged if result is not None else None
        reason = f"left as it is ({decision.reason}): {why or 'compressing saves no tokens'}"
    verified = result.verified.values() if shorter and result is not None else ()
    return PartReport(
        path=format_path(part.path),
        role=part.role.value,
        reason=reason,
        tokens_before=part.tokens,
        tokens_after=result.tokens_after if shorter and result is not None else part.tokens,
        cache=outcome.cache.value,
        failure=failure.value if failure is not None else None,
        compress_ms=outcome.elapsed_ms,
        protected=sum(count.called_for for count in verified),
        restored=sum(count.restored for count in verified),
        lost=sum(count.lost for count in verified),
        budget_unmet=result.budget_unmet if result is not None else False,
    )


def _treatment(
    mode: Mode, reports: Sequence[PartReport], *, asked: bool, changed: bool
) -> Treatment:
    if mode is Mode.OFF:
        return Treatment.OFF
    if mode is Mode.SHADOW:
        # Even where compressing failed: what was sent is what would have been sent anyway.
        return Treatment.SHADOW if asked else Treatment.UNCHANGED
    if any(report.failure is not None for report in reports):
        return Treatment.FAILED_OPEN
    return Treatment.COMPRESSED if changed else Treatment.UNCHANGED


def _report(
    policy: str,
    treatment: Treatment,
    counts: Counts,
    reports: Sequence[PartReport],
    *,
    sent: int | None,
    compress_ms: float,
) -> CompressionReport:
    after = sum(report.tokens_after for report in reports)
    return CompressionReport(
        policy=policy,
        treatment=treatment,
        encoding=counts.encoding,
        tokens_estimated=counts.estimated,
        tokens_before=sum(report.tokens_before for report in reports),
        tokens_after=after,
        tokens_sent=after if sent is None else sent,
        compress_ms=compress_ms,
        parts=tuple(reports),
    )
