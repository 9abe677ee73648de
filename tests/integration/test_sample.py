"""The opt-in sample of prompts, as its users run it: a process, a config, a hook of their own."""

import asyncio
import json
import os
import sys
from pathlib import Path

from typer.testing import CliRunner

from proxy.cli import build
from tests.integration.fake_upstream import FakeUpstream
from tests.integration.raw_client import parse_answer, request_bytes
from tests.integration.served import ROOT, served

CONFIG = """\
server: {{port: 0}}
upstreams:
  main: {{base_url: "{upstream}"}}
policies:
  half: {{rate: 0.5, min_tokens: 20}}
routes:
  - {{match: {{model: kept}}, policy: off, upstream: main}}
  - {{policy: half, upstream: main}}
savings: {{path: "{folder}/savings.db"}}
sample: {{path: "{path}", share: 1, redact: "scrubbing:scrub"}}
"""
HOOK = """\
import pathlib, time

def scrub(text):
    gate = pathlib.Path(__file__).with_name("gate")
    while "slow" in text and not gate.exists():
        time.sleep(0.01)
    if "unspeakable" in text:
        raise RuntimeError(text)
    return None if "private" in text else text.replace("Ann Smith", "NAME")
"""
MINUTES = "Ann Smith said that the council had not approved the budget for the coming year. " * 20
CHAT = "/v1/chat/completions"


def chat(text: str, model: str = "gpt-4o") -> bytes:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]
    body = json.dumps({"model": model, "messages": messages}).encode()
    return request_bytes("POST", CHAT, [("Authorization", "Bearer sk-client")], body)


def write_config(folder: Path, upstream: FakeUpstream, path: Path) -> Path:
    (folder / "scrubbing.py").write_text(HOOK, "utf-8")
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(upstream=upstream.base_url, folder=folder, path=path), "utf-8")
    return config


async def test_what_is_compressed_is_sampled_redacted_and_collected(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    path = tmp_path / "sample.jsonl"
    config = write_config(tmp_path, upstream, path)
    environ = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    sent = [MINUTES, MINUTES, f"private {MINUTES}", f"unspeakable {MINUTES}", "short"]
    async with served(config, environ) as proxy:
        for text in sent:
            assert parse_answer(await proxy.send(chat(text))).status == 200
        assert parse_answer(await proxy.send(chat(f"not mine {MINUTES}", "kept"))).status == 200
        _, errors = await proxy.stop()
    (line,) = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert line["text"] == MINUTES.replace("Ann Smith", "NAME")
    assert (line["role"], line["policy"], line["model"]) == ("user", "half", "gpt-4o")
    assert "sk-client" not in path.read_text("utf-8")
    assert b"100.00% of the texts to be compressed are written to" in errors
    assert b"sample.redact failed" in errors
    assert b"council" not in errors

    out = tmp_path / "passages.jsonl"
    done = CliRunner().invoke(build(), ["distill", "collect", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.stderr
    passages = [json.loads(row) for row in out.read_text("utf-8").splitlines()]
    assert {(row["source"], row["doc"]) for row in passages} == {("sample", line["doc"])}


async def test_requests_do_not_wait_for_the_hook(tmp_path: Path, upstream: FakeUpstream) -> None:
    path = tmp_path / "sample.jsonl"
    config = write_config(tmp_path, upstream, path)
    async with served(config, {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}) as proxy:
        for text in (f"slow {MINUTES}", f"another {MINUTES}"):
            assert parse_answer(await proxy.send(chat(text))).status == 200
        assert path.read_bytes() == b""  # the hook has not come back yet
        (tmp_path / "gate").touch()
        await proxy.stop()
    texts = [json.loads(line)["text"].split()[0] for line in path.read_text("utf-8").splitlines()]
    assert texts == ["slow", "another"]


async def test_a_sample_that_cannot_be_written_costs_no_request(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    config = write_config(tmp_path, upstream, tmp_path / "file" / "sample.jsonl")
    async with served(config, {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}) as proxy:
        assert parse_answer(await proxy.send(chat(MINUTES))).status == 200
        ready = parse_answer(await proxy.send(request_bytes("GET", "/readyz")))
    assert ready.status == 200
    assert b"sample.path cannot be written" in ready.body


async def test_a_hook_that_is_not_there_is_said_at_the_start(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    config = write_config(tmp_path, upstream, tmp_path / "sample.jsonl")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from proxy.cli import main; main()", "serve", "--config", str(config)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # and not the hook's folder
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"sample.redact: scrubbing cannot be imported" in errors
