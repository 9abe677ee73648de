"""LLMLingua's parameters and results, by its own names, and what they mean here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from compressor.contexts import ContextFilter
from compressor.types import TokenToWord

# Parameters that only the first LLMLingua heeds. LLMLingua-2 takes them and does nothing either.
OF_LLMLINGUA_1 = frozenset(
    {"iterative_size", "force_context_number", "use_sentence_level_filter", "keep_split"}
    | {"keep_first_sentence", "keep_last_sentence", "keep_sentence_number", "high_priority_bonus"}
    | {"context_budget", "token_budget_ratio", "condition_in_question", "reorder_context"}
    | {"dynamic_context_compression_ratio", "condition_compare", "add_instruction", "rank_method"}
    | {"reorder_keyvalue", "strict_preserve_uncompressed"}
    | {"context_segs", "context_segs_rate", "context_segs_compress"}
)


class CompressedPrompt(TypedDict):
    """LLMLingua's result, and two fields of our own at the end.

    `compressed_prompt` has instruction and question too, and tokens are counted over all of it.
    `compressed_prompt_list` and `survived_contexts` (indices) are of the contexts that survived.
    """

    compressed_prompt: Any
    compressed_prompt_list: list[str]
    origin_tokens: int
    compressed_tokens: int
    ratio: str
    rate: str
    saving: str
    fn_labeled_original_prompt: NotRequired[str]
    survived_contexts: list[int]
    budget_unmet: bool


class WordOptions(TypedDict, total=False):
    """LLMLingua-2's parameters of how words are chosen."""

    token_to_word: TokenToWord
    force_tokens: Sequence[str]
    force_reserve_digit: bool
    drop_consecutive: bool
    chunk_end_tokens: Sequence[str]


class PromptOptions(WordOptions, total=False):
    """LLMLingua-2's parameters beside the context, rate and target_token."""

    use_context_level_filter: bool | None
    use_token_level_filter: bool
    target_context: int
    context_level_rate: float
    context_level_target_token: float
    force_context_ids: Iterable[int] | None
    return_word_label: bool
    word_sep: str
    label_sep: str


def context_filter(
    use: bool | None,
    fine: bool = True,
    *,
    rate: float,
    target_token: float,
    target_context: int = -1,
    context_level_rate: float = 1.0,
    context_level_target_token: float = -1,
    force: Iterable[int] | None = None,
) -> ContextFilter:
    """Return LLMLingua's context filter: where none of its numbers is given, half way to all."""
    forced = frozenset(force or ())
    given = target_context > 0 or context_level_rate < 1 or context_level_target_token > 0
    if use is False or (use is None and not given):
        return ContextFilter(force=forced)
    if not given and target_token > 0:
        context_level_target_token = target_token * 2 if fine else target_token
    elif not given:
        context_level_rate = min(1.0, (rate + 1) / 2 if fine else rate)
    return ContextFilter(
        rate=context_level_rate,
        target_tokens=int(context_level_target_token) if context_level_target_token > 0 else None,
        target_contexts=target_context if target_context > 0 else None,
        force=forced,
    )


def read_json_config(written: str | Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a json_config, from a JSON file where a path is given. Raises OSError, ValueError."""
    if isinstance(written, Mapping):
        return written
    try:
        read = json.loads(Path(written).read_text("utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{written} is not JSON ({error}); read a YAML file with yaml.safe_load and give what "
            "it holds"
        ) from error
    if not isinstance(read, dict):
        raise ValueError(f"{written} is not an object of objects, one a key")
    return read
