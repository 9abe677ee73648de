"""The litellm SDK, loaded once where a config asks for it, and kept to what it is asked.

litellm is a large library with habits of its own: it reads keys and addresses from the environment
and a .env file, fetches a price table at import, and sends requests again when a connection breaks.
Where there is a setting against one it is set here; where there is none the function is replaced,
and a test on real connections holds that it stays so (tests/integration/test_litellm*.py).
"""

import asyncio
import threading
import warnings
from collections import Counter
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from proxy.config import set_environment_defaults
from proxy.litellm_clients import replace_clients
from proxy.litellm_errors import CallTrace

# Read by litellm when it is imported.
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",  # else it loads a .env file from the working directory
    "MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0",
}


class _NothingKept:
    """Stands where the library would keep one request's tool calls for another."""

    def get_cache(self, key: object) -> None:
        pass

    def set_cache(self, key: object, value: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Library:
    """litellm, where its clients note what they do for a call, and how many upstreams use them.

    `users` is by the id of the upstreams' event loop.
    """

    litellm: Any
    traces: ContextVar[CallTrace | None]
    users: Counter[int] = field(default_factory=Counter)

    def responses(self) -> tuple[Any, Any]:
        """Return the translation of the Responses API to chat completions, and of streams back."""
        from litellm.responses.litellm_completion_transformation import (  # noqa: PLC0415
            streaming_iterator,
            transformation,
        )

        # By the ids of tool calls, which are not one client's alone.
        transformation.TOOL_CALLS_CACHE = _NothingKept()
        return (
            transformation.LiteLLMCompletionResponsesConfig,
            streaming_iterator.LiteLLMCompletionStreamingIterator,
        )

    def take(self) -> None:
        """Count one more upstream of the running event loop."""
        self.users[id(asyncio.get_running_loop())] += 1

    async def give_back(self) -> None:
        """Close the loop's HTTP clients with their last user; the library shares them by loop."""
        loop = id(asyncio.get_running_loop())
        self.users[loop] -= 1
        if self.users[loop] > 0:
            return
        del self.users[loop]
        clients = self.litellm.in_memory_llm_clients_cache.cache_dict
        for name in [name for name in clients if str(name).endswith(f"-{loop}")]:
            handler = clients.pop(name)
            close = getattr(handler, "close", None) or getattr(handler, "aclose", None)
            if close is not None:
                await close()


_LOADING = threading.Lock()


def library() -> Library:
    """Return litellm, imported and set up at the first call, about two seconds. Thread-safe."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Library:
    set_environment_defaults(_ENVIRONMENT)
    import litellm  # noqa: PLC0415
    from litellm.llms.custom_httpx import http_handler  # noqa: PLC0415

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.disable_aiohttp_transport = True  # it calls a reset connection one never opened
    _know_no_secrets(litellm)
    traces: ContextVar[CallTrace | None] = ContextVar("litellm_call", default=None)
    replace_clients(litellm, http_handler, traces)
    _log_nothing()
    # Standard error would get what a provider answered with in another type than OpenAI's.
    warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
    return Library(litellm, traces)


def _know_no_secrets(litellm: Any) -> None:  # noqa: ANN401
    from litellm.integrations.custom_secret_manager import CustomSecretManager  # noqa: PLC0415
    from litellm.types.secret_managers.main import KeyManagementSystem  # noqa: PLC0415

    class Nothing(CustomSecretManager):  # type: ignore[misc]  # the library is not typed
        """Knows no secret, so that none is taken from the environment."""

        def sync_read_secret(self, secret_name: str, *_: object, **__: object) -> str:
            return ""

        async def async_read_secret(self, secret_name: str, *_: object, **__: object) -> str:
            return ""

    litellm.secret_manager_client = Nothing()
    litellm._key_management_system = KeyManagementSystem.CUSTOM


def _log_nothing() -> None:
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER  # noqa: PLC0415

    def not_logged(async_coroutine: Coroutine[object, object, object]) -> None:
        # There are no callbacks to tell, and the worker would outlive its event loop.
        async_coroutine.close()

    GLOBAL_LOGGING_WORKER.ensure_initialized_and_enqueue = not_logged
