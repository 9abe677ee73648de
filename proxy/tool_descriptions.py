"""Which descriptions of a request's tools a policy wants to be compressed."""

import asyncio
from dataclasses import replace

from policies.types import Mode, Policy
from proxy.counting import PromptCounter
from proxy.dialects.base import BodyReading, Dialect
from proxy.json_spans import Unreadable

# Reading this many bytes takes about as long as the way to a thread and back.
_INLINE_BYTES = 64 * 1024


async def with_tool_descriptions(
    dialect: Dialect, data: bytes, policy: Policy, reading: BodyReading, counter: PromptCounter
) -> BodyReading:
    """Return the reading of `data` with its tools' long descriptions, where the policy wants them.

    Tools that cannot be read are left alone, which the reading's `note` says then.
    """
    least = policy.tool_descriptions
    if least is None or policy.mode is Mode.OFF:
        return reading
    try:
        if len(data) > _INLINE_BYTES:
            found = await asyncio.to_thread(dialect.read_tools, data)
        else:
            found = dialect.read_tools(data)
    except Unreadable as why:
        return replace(reading, note=f"its tools are left alone: {why.note}")
    # The many short ones would only fill the record.
    counts = await counter.count(reading.model, [text.text for text in found])
    pairs = zip(found, counts.tokens, strict=True)
    long = tuple(text for text, tokens in pairs if tokens >= least)
    return replace(reading, texts=long + reading.texts)
