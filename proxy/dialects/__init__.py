"""The APIs whose prompts are compressed, by the path that they are asked at."""

from collections.abc import Mapping

from proxy.dialects.base import Dialect
from proxy.dialects.chat import ChatDialect
from proxy.dialects.completions import CompletionsDialect
from proxy.dialects.messages import MessagesDialect
from proxy.dialects.responses import ResponsesDialect

DIALECTS: Mapping[str, Dialect] = {
    "/v1/chat/completions": ChatDialect(),
    "/v1/completions": CompletionsDialect(),
    "/v1/messages": MessagesDialect(),
    "/v1/responses": ResponsesDialect(),
}
