"""Named policies to use as they are or to start from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.types import Mode, Policy, Role

AMOUNTS = ("rate", "threshold", "target_tokens")


@dataclass(frozen=True, slots=True)
class Preset:
    """A complete policy and, in one line, what it is for."""

    description: str
    policy: Policy


def _by_name(presets: Iterable[Preset]) -> Mapping[str, Preset]:
    return MappingProxyType({preset.policy.name: preset for preset in presets})


PRESETS: Mapping[str, Preset] = _by_name(
    [
        Preset(
            "Leaves everything alone; the request is still counted and recorded.",
            Policy(name="off", mode=Mode.OFF),
        ),
        Preset(
            "Keeps three quarters of long user and tool text: the first step for careful tasks.",
            Policy(name="safe", rate=0.75, min_tokens=400),
        ),
        Preset(
            "Keeps half of user and tool text.",
            Policy(name="balanced", rate=0.5),
        ),
        Preset(
            "Keeps a third of user and tool text: for summaries and first looks at much material.",
            Policy(name="aggressive", rate=0.33, min_tokens=100, json_prose=True),
        ),
        Preset(
            "Compresses tool results only: for agents, whose instructions stay as they are.",
            Policy(name="agent", rate=0.5, roles=frozenset({Role.TOOL}), json_prose=True),
        ),
        Preset(
            "Also compresses system text, where many applications put retrieved documents.",
            Policy(
                name="rag",
                rate=0.5,
                roles=frozenset({Role.SYSTEM, Role.USER, Role.TOOL}),
                json_prose=True,
            ),
        ),
        Preset(
            "Like rag, and keeps a third, chosen by the last user message's question: for one "
            "question to a set of documents, since a new question misses the prompt cache.",
            Policy(
                name="rag-question",
                rate=0.33,
                roles=frozenset({Role.SYSTEM, Role.USER, Role.TOOL}),
                json_prose=True,
                question_aware=True,
            ),
        ),
        Preset(
            "Compresses what user and assistant said, in long conversations; tool results stay.",
            Policy(name="chat-history", rate=0.5, roles=frozenset({Role.USER, Role.ASSISTANT})),
        ),
    ]
)


def complete(name: str, own: Mapping[str, object]) -> dict[str, object]:
    """Return the members of the policy `name`: the preset's, with its `own` in their place.

    The preset is `own["preset"]`, else the one that is called `name`, else none. Own members are
    in the form that config.yaml has them and are not checked here; an own rate, threshold or
    target_tokens drops the preset's amount, whichever that is.
    """
    preset = own.get("preset", name)
    base = PRESETS.get(preset) if isinstance(preset, str) else None
    if base is None:
        return {**own, "name": name}
    given = base.policy.model_dump(by_alias=True, exclude_unset=True)
    if any(amount in own for amount in AMOUNTS):
        given = {key: value for key, value in given.items() if key not in AMOUNTS}
    return {**given, "preset": preset, **own, "name": name}
