"""POST /v1/completions, https://platform.openai.com/docs/api-reference/completions/create."""

from collections.abc import Iterator

from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.dialects.nodes import (
    ASKING,
    ask_usage,
    overrule_usage,
    root_object,
    string,
    text_of,
    tokens_reserved,
    value,
)
from proxy.json_spans import Array, Object, Shape
from proxy.usage import ChatUsage

_SHAPE: Shape = {
    "model": None,
    **ASKING,
    "max_tokens": None,
    "prompt": (None,),
    "suffix": None,
    "echo": None,
    "prompt_logprobs": None,
}


class CompletionsDialect(ChatUsage):
    """Reads `prompt`, a string or a list of them; prompts that are lists of tokens have no text."""

    def read(self, body: bytes) -> BodyReading:
        """Return what `body` says. A prompt that the answer shows or fits into stays as it is."""
        root = root_object(body, _SHAPE)
        note = _shown(root)
        return BodyReading(
            model=string(root, "model"),
            stream=value(root, "stream") is True,
            texts=() if note is not None else tuple(_texts(root)),
            ask_usage=ask_usage(root),
            overrule_usage=overrule_usage(root),
            reserved_tokens=tokens_reserved(root, "max_tokens"),
            note=note,
            independent=isinstance(root.members.get("prompt"), Array),
        )

    def read_tools(self, body: bytes) -> tuple[BodyText, ...]:
        """Return nothing: this API has no tools."""
        return ()

    def error_event(self, body: bytes) -> bytes:
        """Return the event that OpenAI's clients raise an error for."""
        return b"data: " + body + b"\n\n"


def _shown(root: Object) -> str | None:
    """Return why the prompt has to stay, None where it need not."""
    if value(root, "echo") not in (None, False):
        return "the prompt is left alone: with `echo` the answer repeats it"
    logprobs = value(root, "prompt_logprobs")  # vLLM's
    if logprobs is not None and logprobs is not False:
        return "the prompt is left alone: `prompt_logprobs` asks about each of its tokens"
    if value(root, "suffix") not in (None, ""):
        return "the prompt is left alone: with `suffix` it is one side of a gap to be filled"
    return None


def _texts(root: Object) -> Iterator[BodyText]:
    prompt = root.members.get("prompt")
    yield from text_of(prompt, Role.USER, ("prompt",))
    if isinstance(prompt, Array):
        for index, item in enumerate(prompt.items):
            yield from text_of(item, Role.USER, ("prompt", index))
