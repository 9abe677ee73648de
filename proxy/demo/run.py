"""Runs the demonstration and prints it."""

import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import uvicorn
from rich.console import Console
from rich.table import Table
from rich.text import Text
from starlette.types import ASGIApp

from compressor.engine import Compressor
from compressor.tokens import Tokenizers
from compressor.types import CompressionResult, Settings, Span
from policies.types import Match, Policy, Route
from proxy.app import create_app
from proxy.commands.serve import listen
from proxy.config import Config, SavingsConfig, ServerConfig
from proxy.config_upstream import UpstreamConfig
from proxy.demo.upstream import MODEL, StandIn
from proxy.diff import bracketed, marked
from proxy.server import uvicorn_config

QUESTION = (
    "Why were some customers charged twice, and what is done so that it does not happen again? "
    "Answer in two sentences."
)
_READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the client saw of one request."""

    answer: str
    prompt_tokens: int
    headers: dict[str, str]
    seconds: float


def show(rate: float) -> None:
    """Run the demonstration and print it."""
    console = Console(highlight=False)
    document = resources.files("proxy.demo").joinpath("document.txt").read_text("utf-8")
    prompt = f"{document}\n{QUESTION}"
    ledger = Path(tempfile.mkdtemp(prefix="tersely-demo-")) / "savings.db"
    tokenizers = Tokenizers()
    stand_in = StandIn(tokenizers.counter("o200k_base"))
    with ExitStack() as stack:
        upstream = stack.enter_context(_served(stand_in.app))
        app = create_app(_config(upstream, rate, ledger), tokenizers=tokenizers)
        proxy = stack.enter_context(_served(app))
        with console.status("Loading the classifier ..."):
            _wait_until_ready(proxy)
        with console.status("Compressing, sending, reading the answer ..."):
            exchange = _ask(proxy, prompt)
    with console.status("Compressing once more, to show what was dropped ..."):
        result = _compress(prompt, rate, tokenizers)
    if result.text != stand_in.received["messages"][-1]["content"]:
        raise RuntimeError("the same text gave another result; please report this as a bug")
    _print(console, prompt, result, exchange, ledger)


def _config(upstream: str, rate: float, ledger: Path) -> Config:
    return Config(
        upstreams={"stand-in": UpstreamConfig(base_url=f"{upstream}/v1")},
        policies={"demo": Policy(name="demo", rate=rate, deadline_ms=60_000)},
        routes=(Route(match=Match(), policy="demo", upstream="stand-in"),),
        savings=SavingsConfig(path=ledger, log=False),
    )


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port in a thread; yield its address."""
    config = ServerConfig(host="127.0.0.1", port=0, shutdown_seconds=2)
    listener = listen(config)
    server = uvicorn.Server(uvicorn_config(app, config))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _wait_until_ready(proxy: str) -> None:
    """Ask /readyz until the classifier is loaded; the client retries with back-off by itself."""
    import openai  # noqa: PLC0415 - an extra; the command has looked that it is there

    with openai.OpenAI(base_url=proxy, api_key="none", max_retries=0) as client:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                client.get("/readyz", cast_to=object)
            except openai.APIStatusError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def _ask(proxy: str, prompt: str) -> Exchange:
    import openai  # noqa: PLC0415 - an extra; the command has looked that it is there

    started = time.perf_counter()
    pieces: list[str] = []
    prompt_tokens = 0
    with openai.OpenAI(base_url=f"{proxy}/v1", api_key="none") as client:
        raw = client.chat.completions.with_raw_response.create(
            model=MODEL,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in raw.parse():
            pieces += [choice.delta.content or "" for choice in chunk.choices]
            if chunk.usage is not None:
                prompt_tokens = chunk.usage.prompt_tokens
        headers = dict(raw.headers)
    seconds = time.perf_counter() - started
    return Exchange("".join(pieces).strip(), prompt_tokens, headers, seconds)


def _compress(prompt: str, rate: float, tokenizers: Tokenizers) -> CompressionResult:
    with Compressor(tokenizers=tokenizers) as compressor:
        return compressor.compress(prompt, Settings(rate=rate))


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"\S(?:.|\n(?!\n))*", text):
        yield match.span()


def _print(
    console: Console, prompt: str, result: CompressionResult, exchange: Exchange, ledger: Path
) -> None:
    sides = Table(expand=True, show_lines=True)
    sides.add_column("the prompt, dropped words struck out", ratio=1, overflow="fold")
    sides.add_column("what reached the model", ratio=1, overflow="fold")
    for start, end in _paragraphs(prompt):
        kept = [Span(max(s.start, start), min(s.end, end)) for s in result.kept]
        kept = [Span(s.start - start, s.end - start) for s in kept if s.start < s.end]
        paragraph = prompt[start:end]
        right = "".join(paragraph[s.start : s.end] for s in kept).strip()
        left = marked(paragraph, kept) if console.is_terminal else Text(bracketed(paragraph, kept))
        sides.add_row(left, Text(right))
    console.print(sides)
    before, after = (int(exchange.headers[f"x-tersely-tokens-{w}"]) for w in ("before", "after"))
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("tokens before", f"{before:,}"),
        ("tokens after", f"{after:,}"),
        ("ratio", f"{before / max(1, after):.2f}x ({after / before:.0%} kept)"),
        ("compression", f"{exchange.headers['x-tersely-compress-ms']} ms"),
        ("total", f"{exchange.seconds * 1000:.0f} ms, until the last piece of the answer"),
        ("billed by the stand-in", f"{exchange.prompt_tokens:,} prompt tokens"),
        ("answer", exchange.answer),
        ("record", f"{ledger}\nread it with: tersely savings --path {ledger}"),
    ):
        facts.add_row(name, Text(value, overflow="fold"))
    console.print(facts)
