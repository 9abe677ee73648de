"""About how many tokens a stream has brought, for where its usage is not told or not waited for."""

from collections.abc import Iterator, Mapping

from proxy.sse import Piece, SseReader, event_data
from proxy.usage import json_object

# The rule of thumb for English; a little low for code, and for most other scripts.
_BYTES_PER_TOKEN = 4
# Members of a delta that hold no words of the model's.
_NO_TEXT = frozenset({"role", "type", "id", "index", "data", "signature", "encrypted_content"})


class StreamedText:
    """Counts the text in a stream's events: what their `delta` holds, and their choices."""

    def __init__(self) -> None:
        self._bytes = 0
        self._events = SseReader()

    @property
    def tokens(self) -> int:
        """About how many tokens have come so far, rounded up."""
        return -(-self._bytes // _BYTES_PER_TOKEN)

    def look(self, chunk: bytes) -> None:
        """Count the events that are complete with this chunk."""
        for kind, piece in self._events.feed(chunk):
            if kind is Piece.EVENT and (b'"delta"' in piece or b'"text"' in piece):
                event = json_object(event_data(piece) or b"")
                for text in _texts(event or {}):
                    self._bytes += len(text.encode("utf-8", "surrogatepass"))


def _texts(event: Mapping[str, object]) -> Iterator[str]:
    if "audio.delta" in str(event.get("type")):
        return
    waiting: list[object] = [event.get("delta")]
    choices = event.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping):
            waiting += (choice.get("delta"), choice.get("text"))
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, Mapping):
            waiting += (held for name, held in value.items() if name not in _NO_TEXT)
