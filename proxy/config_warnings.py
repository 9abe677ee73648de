"""What works in a config but is likely not meant, or costs something that is easy to overlook."""

from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from policies.match import covers, glob
from policies.types import Match, Policy
from proxy.config import Config, Loaded
from proxy.config_file import Key, Problem
from proxy.config_problems import Complaint
from proxy.listening import is_loopback, is_open


def warnings(loaded: Loaded) -> list[Problem]:
    """Return the warnings about a config that loads, in the order of the file."""
    config = loaded.config
    found = [
        *_listening(config),
        *_keys(config),
        *_upstreams(config),
        *_prompt_cache(loaded),
        *_routes(loaded),
        *_fallback(loaded),
        *_shared_cache(config),
    ]
    problems = [Problem(loaded.document.place(key), key, text) for key, text in found]
    return sorted(problems, key=lambda p: (p.place.line, p.place.column))


def _listening(config: Config) -> Iterator[Complaint]:
    if not is_open(config):
        return
    keys = sorted(name for name, up in config.upstreams.items() if up.api_key is not None)
    spends = f" and spend on the key of {', '.join(keys)}" if keys else ""
    yield (
        ("server", "host"),
        f"{config.server.host} is reached from other machines: whoever can reach it can use the "
        f"proxy{spends}. {_TOLD if config.server.allow_open else _NOT_TOLD}",
    )


_TOLD = "Keep it behind a firewall or a gateway that checks who calls"
_NOT_TOLD = "`tersely serve` refuses that without proxy keys or `server: allow_open: true`"


def _keys(config: Config) -> Iterator[Complaint]:
    for name, key in config.access.keys.items():
        for pattern in key.policies or ():
            if not any(map(glob(pattern), config.policies)):
                at = ("access", "keys", name, "policies")
                yield at, f"'{pattern}' matches no policy; there are: {', '.join(config.policies)}"


def _upstreams(config: Config) -> Iterator[Complaint]:
    used = {share.name for route in config.routes for share in route.upstreams}
    for name, upstream in config.upstreams.items():
        url = urlsplit(upstream.base_url or "")
        host = url.hostname or ""
        key = ("upstreams", name, "base_url")
        if config.server.uds is None and is_loopback(host) and url.port == config.server.port:
            yield key, "is the proxy's own address: a request would go round in a circle"
        if url.scheme == "http" and upstream.api_key is not None and not is_loopback(host):
            yield key, "the API key crosses the network unencrypted; use https:// if you can"
        if name not in used:
            yield ("upstreams", name), "is not used by any route"


def _prompt_cache(loaded: Loaded) -> Iterator[Complaint]:
    config = loaded.config
    for name, policy in config.policies.items():
        yield from _of_policy(name, policy, config)
    for key in _question_aware(loaded):
        yield (
            key,
            "moves cached prefixes: what is kept of a text changes with the question of the last "
            "user message, and the provider's prompt cache misses whenever that changes",
        )


def _question_aware(loaded: Loaded) -> Iterator[tuple[Key, ...]]:
    """Yield where policies that look at the question are declared, or used without that."""
    written = loaded.document.values.get("policies")
    declared = written if isinstance(written, dict) else {}
    aware = {name for name, policy in loaded.config.policies.items() if policy.question_aware}
    yield from (("policies", name, "question_aware") for name in declared if name in aware)
    for index, route in enumerate(loaded.config.routes):
        if route.policy in aware - declared.keys():
            yield ("routes", index, "policy")


def _of_policy(name: str, policy: Policy, config: Config) -> Iterator[Complaint]:
    if policy.min_request_tokens:
        yield (
            ("policies", name, "min_request_tokens"),
            "moves cached prefixes: a conversation that grows past the limit changes its earlier "
            "messages, and the provider's prompt cache misses that turn",
        )
    if not policy.fit_context:
        return
    yield (
        ("policies", name, "fit_context"),
        "moves cached prefixes: over the limit, earlier messages change from turn to turn, and "
        "the provider's prompt cache misses",
    )
    if not config.compressor.context_windows and find_spec("litellm") is None:
        yield (
            ("policies", name, "fit_context"),
            "cannot act: no context window is known; fill compressor.context_windows or install "
            "the litellm extra",
        )


def _routes(loaded: Loaded) -> Iterator[Complaint]:
    routes = loaded.config.routes
    for index, route in enumerate(routes):
        for before, earlier in enumerate(routes[:index]):
            if covers(earlier.match, route.match):
                line = loaded.line("routes", before)
                text = f"is never reached: routes[{before}] in line {line} takes all of it"
                yield ("routes", index), text
                break
    if not any(covers(route.match, Match()) for route in routes):
        yield (
            ("routes",),
            "no route takes every request: one that matches none, like GET /v1/models, is refused "
            "with 404; end with a route without a match, like {policy: off, upstream: "
            f"{routes[-1].upstream}}}",
        )


def _fallback(loaded: Loaded) -> Iterator[Complaint]:
    for index, route in enumerate(loaded.config.routes):
        if "fallback_on" in route.model_fields_set and len(route.upstreams) == 1:
            text = "does nothing: the route has one upstream, and no other to go on to"
            yield ("routes", index, "fallback_on"), text


def _shared_cache(config: Config) -> Iterator[Complaint]:
    if config.cache.url is None or config.cache.encryption_key is not None:
        return
    url = urlsplit(config.cache.url.get_secret_value())
    if url.scheme == "redis" and not is_loopback(url.hostname or ""):
        key = "url" if config.cache.url_env is None else "url_env"
        yield (
            ("cache", key),
            "compressed prompts cross the network and are stored unencrypted; use rediss://, and "
            "encryption_key_env to encrypt what is stored",
        )
