"""config.yaml as a frozen value. The only reader of the environment (see `load`)."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from policies.types import Policy, Route


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerConfig(_Section):
    """Where the proxy listens and how much it is willing to hold."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    max_parse_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description="A body larger than this, before or after decompression, is passed on "
        "untouched and unread instead of being compressed.",
    )
    max_connections: int = Field(
        1024, ge=1, description="Client requests served at once; more get 503."
    )
    shutdown_seconds: float = Field(
        10, ge=0, description="How long running requests may take to finish at shutdown."
    )


class UsageMode(StrEnum):
    """How the provider's own token counts are read."""

    OBSERVE = "observe"
    ASK = "ask"


class UpstreamConfig(_Section):
    """One OpenAI-compatible API."""

    base_url: str = Field(
        description="Its base URL, as an OpenAI client would take it, usually ending in /v1.",
        pattern=r"^https?://[^\s?#]+$",
    )
    api_key_env: str | None = Field(
        None,
        description="Environment variable that holds the key to send. Without it the client's "
        "own Authorization header is passed on.",
    )
    usage: UsageMode = Field(
        UsageMode.OBSERVE,
        description="`observe` reads usage where the client asked for it; `ask` also requests it "
        "for streams and takes out of the answer exactly what that adds.",
    )
    connect_timeout_seconds: float = Field(5, gt=0, description="Limit for opening a connection.")
    read_timeout_seconds: float = Field(
        600, gt=0, description="Longest silence between two pieces of an answer."
    )
    max_connections: int = Field(512, ge=1, description="Connections kept to this upstream.")
    connect_retries: int = Field(
        1, ge=0, le=5, description="Further tries when no connection could be opened."
    )
    api_key: SecretStr | None = Field(None, exclude=True, description="Filled in by `load`.")


class CompressorConfig(_Section):
    """The classifier and the cores it may use."""

    classifier: str = Field(
        "bundled",
        description="`bundled`, a local folder, or the hub name of a token classifier (label 1 = "
        "keep). Folders and hub names with PyTorch weights need the torch extra.",
    )
    backend: Literal["auto", "onnx", "torch"] = Field(
        "auto", description="`auto` takes ONNX where the folder has it, else torch."
    )
    workers: int = Field(0, ge=0, description="Classifier threads; 0 is one per usable core.")
    max_queued_tokens: int = Field(
        400_000,
        ge=1,
        description="Classifier tokens that may wait; a part that would go past this is sent as "
        "the original (reason `overloaded`).",
    )
    encodings: Mapping[str, str] = Field(
        default_factory=dict,
        description="Model glob to tokenizer: `o200k_base`, `cl100k_base`, or the path of a "
        "Hugging Face tokenizer.json. For models whose tokenizer is not known.",
    )
    context_windows: Mapping[str, int] = Field(
        default_factory=dict,
        description="Model glob to context window in tokens, for fit_context; before the litellm "
        "extra's table.",
    )


class CacheConfig(_Section):
    """Compressed text, kept so that the same text is never compressed twice."""

    memory_mb: int = Field(64, ge=0, description="Size of the in-memory LRU; 0 turns it off.")
    url: SecretStr | None = Field(
        None,
        exclude=True,
        description="redis://, rediss:// or unix:// address of a Redis or Valkey that all copies "
        "share; it may hold a password, so it is never printed. The values are prompts: see "
        "encryption_key_env.",
    )
    url_env: str | None = Field(
        None,
        description="Environment variable that holds the address, instead of `url`; `load` puts "
        "what it holds into `url`.",
    )
    ttl_seconds: int = Field(86_400, ge=1, description="How long a shared entry is kept.")
    call_budget_ms: int = Field(
        20, ge=1, description="Longest wait for the shared cache; then on without it."
    )
    encryption_key_env: str | None = Field(
        None,
        description="Environment variable with a Fernet key; shared values are then encrypted "
        "(needs the encryption extra).",
    )
    encryption_key: SecretStr | None = Field(None, exclude=True, description="Filled in by `load`.")


class Price(_Section):
    """US dollars per million tokens, and the day they were read."""

    input: float = Field(ge=0, description="Per million prompt tokens.")
    cached_input: float | None = Field(
        None, ge=0, description="Per million cached prompt tokens; null takes `input`."
    )
    as_of: date = Field(description="When the price was read, YYYY-MM-DD.")


class SavingsConfig(_Section):
    """Where the record of every request goes."""

    path: Path | None = Field(
        None,
        description="SQLite file; null is savings.db in the user's data folder "
        "($XDG_DATA_HOME/tersely or ~/.local/share/tersely).",
    )
    log: bool = Field(True, description="One JSON line a request on standard output.")
    stream: str = Field(
        "tersely:savings",
        description="Redis stream that every copy writes to when the cache has an address.",
    )
    stream_max_records: int = Field(
        1_000_000, ge=1, description="About how many records the stream keeps."
    )
    prices: Mapping[str, Price] = Field(
        default_factory=dict,
        description="Model glob to price, before the litellm extra's table. No price, no dollars.",
    )


class Config(_Section):
    """The whole of config.yaml. `policies` holds every policy and preset, complete."""

    server: ServerConfig = Field(default_factory=ServerConfig)
    upstreams: Mapping[str, UpstreamConfig]
    policies: Mapping[str, Policy]
    routes: tuple[Route, ...]
    compressor: CompressorConfig = Field(default_factory=CompressorConfig)
    cache: CacheConfig = Field(default_factory=CacheConfig)
    savings: SavingsConfig = Field(default_factory=SavingsConfig)
