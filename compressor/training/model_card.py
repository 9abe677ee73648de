"""The page that goes with a classifier: what it is, what it was made from, how good it is."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compressor.training.agreement import RATE, Agreement
from compressor.training.isolation import Isolation
from compressor.training.throughput import Throughput

_FRONT = """\
---
{licence}pipeline_tag: token-classification
library_name: onnx
tags: [prompt-compression, llmlingua-2]
{languages}---
"""
_LICENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_NOT_STATED = "not stated"
_ABOUT = """\
A token classifier in the sense of LLMLingua-2 (arXiv 2403.12968): for every token of a text, the
probability that somebody who shortens the text by deleting words only would keep it. Label 1 is
keep. Tersely loads this folder with `classifier: FOLDER`.
"""
_USE = """\
## Meant for

Shortening prompts, retrieved passages, tool output and conversations like those that it was trained
on, before a language model reads them, by a compressor that protects what must not be lost. Not
meant to decide alone: on its own a classifier drops negations, numbers and identifiers.

## Limits

{limits}
"""


@dataclass(frozen=True, slots=True)
class Checks:
    """What was measured when the model was exported; None: it was not."""

    agreement: Agreement | None = None
    isolation: Isolation | None = None
    throughput: Throughput | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a card is written from.

    `config` is the model's config.json, `training` what `tersely train` wrote down (empty where it
    did not), `manifests` those of the annotated passages. `weights_bytes` is the ONNX file's size.
    `licence` is that of the weights, empty where nobody stated it.
    """

    name: str
    licence: str
    config: Mapping[str, Any]
    weights_bytes: int
    exact: bool
    training: Mapping[str, Any]
    manifests: Sequence[Mapping[str, Any]]
    checks: Checks


def model_card(facts: Facts) -> str:
    """Return the card in Markdown. It says "not recorded" or "not measured" of what is not."""
    sources = _sources(facts.manifests)
    named = {language for source in sources.values() for language in source.languages}
    languages = sorted(named - {""})
    parts = [
        _FRONT.format(
            licence=_front_licence(facts.licence),
            languages=_front_languages(languages),
        ),
        f"# {facts.name}\n\n{_ABOUT}",
        _table(("", ""), _what_it_is(facts)),
        "## Data\n",
        _data(sources, facts.manifests),
        "## Training\n",
        _training(facts.training),
        "## Measured\n",
        _measured(facts),
        _USE.format(limits="\n".join(f"- {limit}" for limit in _limits(facts, languages))),
    ]
    return "\n".join(parts)


def _front_licence(licence: str) -> str:
    """Return the front matter's line; none for no licence, since the hub takes identifiers only.

    What is no identifier like those of SPDX is `other` there.
    """
    if not licence:
        return ""
    return f"license: {licence.lower() if _LICENCE_ID.fullmatch(licence) else 'other'}\n"


def _what_it_is(facts: Facts) -> list[tuple[str, str]]:
    config = facts.config
    shape = (
        f"{config.get('num_hidden_layers', '?')} layers, hidden {config.get('hidden_size', '?')}, "
        f"{config.get('num_attention_heads', '?')} heads, "
        f"{config.get('max_position_embeddings', '?')} positions, "
        f"{config.get('vocab_size', '?')} pieces"
    )
    weights = "32-bit weights" if facts.exact else "8-bit weights, one activation scale a token"
    return [
        ("architecture", f"{config.get('model_type', 'not recorded')}: {shape}"),
        ("encoder it began as", str(facts.training.get("encoder", "not recorded"))),
        ("file", f"`model.onnx`, {facts.weights_bytes / 1e6:.1f} MB: {weights}"),
        ("input, output", "`input_ids` int64 (1, tokens) → `logits` float32 (1, tokens, 2)"),
        ("licence", facts.licence or _NOT_STATED),
    ]


@dataclass(slots=True)
class _Source:
    passages: int
    licences: Counter[str]
    languages: Counter[str]


def _sources(manifests: Iterable[Mapping[str, Any]]) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for manifest in manifests:
        for name, counts in manifest.get("counts", {}).get("sources", {}).items():
            source = found.setdefault(name, _Source(0, Counter(), Counter()))
            source.passages += int(counts.get("passages", 0))
            source.licences.update(counts.get("licences", {}))
            source.languages.update(counts.get("languages", {}))
    return found


def _data(sources: Mapping[str, _Source], manifests: Sequence[Mapping[str, Any]]) -> str:
    if not manifests:
        return "Not recorded: the model was exported without the manifests of its data.\n"
    rows = [
        (name, f"{source.passages:,}", _listed(source.languages), _listed(source.licences))
        for name, source in sorted(sources.items(), key=lambda item: -item[1].passages)
    ]
    lines = [_table(("source", "passages", "languages", "licences"), rows)] if rows else []
    lines += [_origin(manifest) for manifest in manifests]
    return "\n".join(lines) + "\n"


def _origin(manifest: Mapping[str, Any]) -> str:
    """Say what one annotated file was made from, and what was left out of it."""
    output = manifest.get("output", {})
    counts, settings = manifest.get("counts", {}), manifest.get("settings", {})
    inputs = ", ".join(
        f"{file.get('name')} (SHA-256 {str(file.get('sha256'))[:12]})"
        for file in manifest.get("inputs", ())
    )
    said = f"- {output.get('name', 'annotated passages')}"
    if "kept" in counts and "passages" in counts:
        said += f": {counts['kept']:,} of {counts['passages']:,} passages"
    if inputs:
        said += f", from {inputs}"
    if settings.get("keep"):
        said += f"; kept where {', '.join(settings['keep'])}"
    if settings.get("leave_out_source"):
        said += f"; left out: {', '.join(settings['leave_out_source'])}"
    return said + "."


def _training(training: Mapping[str, Any]) -> str:
    if not training:
        return "Not recorded: the checkpoint has no training.json.\n"
    settings = training.get("settings", {})
    said = (
        "Cross-entropy between a token's probabilities and the soft label of its word, over words; "
        "marks and padding masked; train and validation split by document."
    )
    rows = [(name.replace("_", " "), str(value)) for name, value in settings.items()]
    trained = training.get("passages")
    if trained is not None:
        said += f" {trained:,} passages to train on"
        said += f", {training.get('held_out_passages', 0):,} held out."
    return f"{said}\n\n{_table(('setting', 'value'), rows)}" if rows else f"{said}\n"


def _measured(facts: Facts) -> str:
    rows = _check_rows(facts.checks)
    aucs = [facts.training.get(f"auc_{grade}") for grade in ("heavy", "light")]
    if any(auc is not None for auc in aucs):
        shown = ", ".join("not known" if auc is None else f"{auc:.4f}" for auc in aucs)
        trained = (
            "AUC at the end of training, heavy and light labels",
            f"{shown} ({facts.training.get('held_out_words', 0):,} held-out words)",
        )
        rows.insert(0, trained)
    if not rows:
        return "Not measured.\n"
    unchecked = "" if facts.checks.agreement else "\nNot checked against the original at export.\n"
    return _table(("", ""), rows) + unchecked


def _check_rows(checks: Checks) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if (found := checks.agreement) is not None:
        of = f"{found.original.words:,} words of {found.passages:,} annotated passages"
        for form, ranking in (("the original", found.original), ("this file", found.exported)):
            name = f"AUC of {form}, heavy and light labels"
            rows.append((name, f"{ranking.heavy:.4f}, {ranking.light:.4f} ({of})"))
        kept = f"of what the original keeps at rate {RATE}, without protections, this file keeps"
        rows.append((kept, f"{found.kept:.1%}"))
    if (alone := checks.isolation) is not None:
        changed = sum(alone.changed.values())
        rows.append(
            ("windows whose output changes with their company", f"{changed} of {alone.windows}")
        )
    if (speed := checks.throughput) is not None:
        rows.append(
            (
                "classifier tokens a second, where it was exported",
                f"{speed.one_thread:,.0f} in one thread, {speed.all_cores:,.0f} on "
                f"{speed.cores} cores",
            )
        )
    return rows


def _front_languages(languages: Sequence[str]) -> str:
    # YAML 1.1 reads Norwegian's `no` as false.
    codes = ["'no'" if language == "no" else language for language in languages]
    return f"language: [{', '.join(codes)}]\n" if codes else ""


def _limits(facts: Facts, languages: Sequence[str]) -> list[str]:
    trained = ", ".join(languages) if languages else "not recorded"
    limits = [
        f"Languages of the training data: {trained}. Others are not measured.",
        "A keep probability says how likely a word is to be kept by whoever wrote the labels, not "
        "how likely an answer is to depend on it; what survives of answers is not measured here.",
        "Its thresholds have to be calibrated: the share of a text that is above one differs "
        "between models and between kinds of text (`tersely calibrate`).",
    ]
    if facts.checks.agreement is None:
        limits.append("Whether this file does what the original does was not checked.")
    return limits


def _listed(counts: Mapping[str, int]) -> str:
    named = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return ", ".join(name or _NOT_STATED for name in named) or "not recorded"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [f"| {' | '.join(cells)} |" for cells in [list(head), *escaped]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"
