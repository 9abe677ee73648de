"""config.yaml as a frozen value. The only reader of the environment (see `read`)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from policies.types import Policy, Route
from proxy.config_access import AccessConfig, AccessKey
from proxy.config_file import Document, Key, NotReadable, Place, Problem, parse
from proxy.config_problems import explain
from proxy.config_resolve import resolve
from proxy.config_sample import SampleConfig
from proxy.config_section import Section, check_port
from proxy.config_thresholds import threshold_complaints
from proxy.config_upstream import UpstreamConfig
from proxy.unix_socket import SocketAccess


class ServerConfig(Section):
    """Where the proxy listens and how much it is willing to hold."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    uds: Path | None = Field(
        None,
        description="Path of a Unix socket to listen on, instead of an address and a port: only "
        "this machine reaches it, so it asks for no proxy keys of its own.",
    )
    uds_access: SocketAccess = Field(
        SocketAccess.OWNER,
        description="Who of this machine's users may connect to it: the `owner` of the process, "
        "its `group` as well (for a web server before it), or `everyone`. The folder's permissions "
        "count besides.",
    )
    allow_open: bool = Field(
        False,
        description="Listen on an address that other machines reach although no proxy keys are "
        "configured: whoever can connect may then use the proxy, and the keys of its upstreams. "
        "Without this, and without keys, `tersely serve` refuses to.",
    )
    max_parse_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description="A body larger than this, before or after decompression, is passed on "
        "untouched and unread instead of being compressed.",
    )
    max_connections: int = Field(
        1024, ge=1, description="Client requests served at once; more get 503."
    )
    max_head_bytes: int = Field(
        64 * 1024,
        ge=4096,
        description="A request line and headers larger than this, or more than 256 headers, are "
        "refused with 431.",
    )
    head_timeout_seconds: float = Field(
        10,
        gt=0,
        description="How long a client may take to send a request's line and headers.",
    )
    body_timeout_seconds: float = Field(
        30,
        gt=0,
        description="How long a client may pause in the middle of a body before it is refused with "
        "408; one that sends less than 100 bytes a second counts as pausing.",
    )
    max_websocket_message_bytes: int = Field(
        16 * 1024 * 1024,
        ge=1024,
        description="A websocket message larger than this, from either end, closes the socket with "
        "1009.",
    )
    websocket_ping_seconds: float = Field(
        20,
        ge=0,
        description="How long an end of a websocket may be silent before it is asked for a sign of "
        "life; without one for as long again (of the upstream half as long) it is given up. 0 asks "
        "never.",
    )
    shutdown_seconds: float = Field(
        10, ge=0, description="How long running requests may take to finish at shutdown."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        both = sorted({"host", "port"} & self.model_fields_set)
        if self.uds is not None and both:
            raise ValueError(f"listens on uds or on host and port, not on both: remove {both[0]}")
        return self


class CompressorConfig(Section):
    """The classifier and the cores it may use."""

    classifier: str = Field(
        "bundled",
        description="`bundled`; `bundled-fast`, three times as fast and less sure what matters; a "
        "local folder, or the hub name of a token classifier (label 1 = keep). Folders and hub "
        "names with PyTorch weights need the torch extra.",
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

    @field_validator("encodings")
    @classmethod
    def _usable_encodings(cls, encodings: Mapping[str, str]) -> Mapping[str, str]:
        for glob, encoding in encodings.items():
            if encoding in ("o200k_base", "cl100k_base", "o200k_harmony"):
                continue
            if not encoding.endswith(".json"):
                raise ValueError(
                    f"names '{encoding}' for {glob}; use o200k_base, cl100k_base or the path of a "
                    "tokenizer.json"
                )
            if not Path(encoding).is_file():
                raise ValueError(f"names {encoding} for {glob}, and there is no such file")
            from compressor.tokens import load_counter  # noqa: PLC0415 - takes a while

            load_counter(encoding)  # raises ValueError
        return encodings

    context_windows: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Model glob to context window in tokens, for fit_context; before the litellm "
        "extra's table.",
    )


class CacheConfig(Section):
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
        description="Environment variable that holds the address, instead of `url`.",
    )
    ttl_seconds: int = Field(86_400, ge=1, description="How long a shared entry is kept.")
    call_budget_ms: int = Field(
        20, ge=1, description="Longest wait for the shared cache; then on without it."
    )
    share_between_tenants: bool = Field(
        False,
        description="Let tenants find each other's compressed texts, for tenants that trust each "
        "other: whoever has a text can then tell, by `x-tersely-cache` and by the time it takes, "
        "whether another tenant has sent it.",
    )
    encryption_key_env: str | None = Field(
        None,
        description="Environment variable with a Fernet key; shared values are then encrypted "
        "(needs the encryption extra).",
    )
    encryption_key: SecretStr | None = Field(
        None,
        exclude=True,
        description="Filled in by `load`.",
        json_schema_extra={"written_as": "encryption_key_env"},
    )

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url.get_secret_value())
        except ValueError:  # its own words may show the address
            raise ValueError("the address cannot be read as a URL") from None
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("the address does not start with redis://, rediss:// or unix://")
        if parts.scheme != "unix" and not parts.hostname:
            raise ValueError("the address has no host; it is like rediss://cache.internal:6379/0")
        check_port(parts.netloc)
        return url


class Price(Section):
    """US dollars per million tokens, and the day they were read."""

    input: float = Field(ge=0, description="Per million prompt tokens.")
    cached_input: float | None = Field(
        None, ge=0, description="Per million cached prompt tokens; `input` if left out."
    )
    as_of: date = Field(description="When the price was read, YYYY-MM-DD.")


class SavingsConfig(Section):
    """Where the record of every request goes."""

    path: Path | None = Field(
        None,
        description="SQLite file; left out, it is savings.db in the user's data folder "
        "($XDG_DATA_HOME/tersely or ~/.local/share/tersely). `~/` is the home folder.",
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


class Config(Section):
    """The whole of config.yaml. `policies` holds every policy and preset, complete."""

    server: ServerConfig = Field(default_factory=ServerConfig)
    upstreams: Mapping[str, UpstreamConfig] = Field(description="The APIs that routes may name.")
    policies: Mapping[str, Policy] = Field(
        description="Who gets compressed and how hard, under names of your choice. The presets "
        "need no declaration. Exactly one of rate, threshold and target_tokens holds; writing one "
        "drops the preset's."
    )
    routes: tuple[Route, ...] = Field(
        description="First match wins: which policy and which upstream a request gets. Let the "
        "last one have no match, so that it takes everything else."
    )
    compressor: CompressorConfig = Field(default_factory=CompressorConfig)
    access: AccessConfig = Field(default_factory=AccessConfig)
    cache: CacheConfig = Field(default_factory=CacheConfig)
    savings: SavingsConfig = Field(default_factory=SavingsConfig)
    sample: SampleConfig = Field(default_factory=SampleConfig)


class ConfigError(Exception):
    """A config file that cannot be used; its text is one line per problem, with file and line."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{path}:{problem}" for problem in problems))
        self.path = path
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config together with the file that it came from."""

    config: Config
    path: Path
    document: Document

    def line(self, *key: Key) -> int:
        """Return the line of a key like ("routes", 0); of its nearest ancestor when it has none."""
        return self.document.place(key).line


def set_environment_defaults(variables: Mapping[str, str]) -> None:
    """Set what a library reads from the environment at import, where the user has not set it."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def find(given: Path | None = None) -> Path:
    """Return the file to read: the given one, else ./config.yaml, else the one Tersely comes with.

    Nothing is asked of a given path; reading it says what is wrong with it.
    """
    if given is not None:
        return given
    local = Path("config.yaml")
    if local.exists():
        return local
    package = Path(__file__).parent
    packaged = package / "default_config.yaml"
    # a source tree has the same file at its root
    return packaged if packaged.exists() else package.parent / "config.yaml"


def load(
    path: Path, environ: Mapping[str, str] | None = None, *, need_secrets: bool = True
) -> Config:
    """Return the config in a YAML file, complete; see `read`."""
    return read(path, environ, need_secrets=need_secrets).config


def read(
    path: Path, environ: Mapping[str, str] | None = None, *, need_secrets: bool = True
) -> Loaded:
    """Read a YAML file, its presets and the environment variables that it names.

    `environ` is the process's environment unless given. Variables that are not set are a problem
    unless `need_secrets` is false, for commands that ask no upstream; their fields are then None.
    Raises ConfigError with everything that is wrong, each with its line and how to mend it.
    """
    document = _parsed(path)
    environment = os.environ if environ is None else environ
    resolved = resolve(document.values, environment, need_secrets=need_secrets)
    complaints, config = list(resolved.complaints), None
    try:
        config = Config.model_validate(resolved.values)
    except ValidationError as error:
        complaints.extend(explain(error, Config))
    else:
        classifier = config.compressor.classifier
        complaints.extend(threshold_complaints(classifier, config.policies))
    problems = list(document.problems)
    for found, text in complaints:
        key = resolved.moved.get(found, found)
        problems.append(Problem(document.place(key), key, text))
    if problems or config is None:
        raise ConfigError(path, sorted(set(problems), key=_in_file_order))
    return Loaded(_with_keys_file(config), path, document)


def _parsed(path: Path) -> Document:
    try:
        return parse(path.read_bytes())
    except NotReadable as error:
        raise ConfigError(path, [error.problem]) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(path, [Problem(Place(1, 1), (), f"cannot be read: {reason}")]) from None


def read_keys(path: Path) -> Mapping[str, AccessKey]:
    """Read an access.keys_file; raises ConfigError with everything that is wrong with it."""
    document = _parsed(path)
    problems = list(document.problems)
    keys: Mapping[str, AccessKey] = {}
    try:
        keys = AccessConfig.model_validate({"keys": document.values}).keys
    except ValidationError as error:
        for key, text in explain(error, AccessConfig):
            problems.append(Problem(document.place(key[1:]), key[1:], text))
    if problems:
        raise ConfigError(path, sorted(set(problems), key=_in_file_order))
    return keys


def _with_keys_file(config: Config) -> Config:
    """Return the config with the keys of its keys_file beside its own."""
    own, path = config.access.keys, config.access.keys_file
    if path is None:
        return config
    read = read_keys(path)
    values = {"keys": {**own, **read}, "keys_file": path, "limits": config.access.limits}
    try:
        if both := sorted(own.keys() & read.keys()):
            raise ValueError(f"{', '.join(both)} is in the config's own access.keys as well")
        access = AccessConfig.model_validate(values)
    except ValueError as error:  # of which pydantic's is one
        text = str(error)
        if isinstance(error, ValidationError):
            text = "; ".join(text for _, text in explain(error, AccessConfig))
        raise ConfigError(path, [Problem(Place(1, 1), (), text)]) from None
    return config.model_copy(update={"access": access})


class MissingVariable(Exception):
    """An environment variable that was named and is not set."""


def environment_secret(variable: str, environ: Mapping[str, str] | None = None) -> SecretStr:
    """Return what an environment variable named on the command line holds.

    `environ` is the process's environment unless given. Raises MissingVariable where it is not
    set or empty.
    """
    value = (os.environ if environ is None else environ).get(variable)
    if not value:
        raise MissingVariable(f"the environment variable {variable} is not set")
    return SecretStr(value)


def _in_file_order(problem: Problem) -> tuple[int, int, str]:
    return problem.place.line, problem.place.column, str(problem)
