"""The question of a request: which of its texts ask, and which are compressed for the answer."""

import asyncio

from compressor.message_question import question_of
from policies.types import Role
from proxy.dialects.base import BodyReading

# Reading this many characters takes about as long as the way to a thread and back.
_INLINE_CHARACTERS = 2000


async def questions(reading: BodyReading) -> list[str | None]:
    """Return for every text of a body, in order, the question that it is compressed for, or None.

    It is that of the last user message; of the text itself where each is a request of its own. A
    tool's description has none: it is sent with every question.
    """
    if reading.independent:
        return [await _asked([text.text]) for text in reading.texts]
    question = await _asked(reading.last_user_texts())
    return [None if text.role is Role.TOOL_SCHEMA else question for text in reading.texts]


async def _asked(texts: list[str]) -> str | None:
    if sum(map(len, texts)) > _INLINE_CHARACTERS:
        return await asyncio.to_thread(question_of, texts)
    return question_of(texts)
