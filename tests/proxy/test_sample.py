import json
import logging
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from policies.types import Decision, Role
from proxy.config_sample import SampleConfig
from proxy.dialects.base import BodyText
from proxy.ledger.queued import StoreError
from proxy.sample import Offered, Sampler, SampleStore

MANY = 100_000_000


def body_text(text: str, role: Role = Role.USER) -> BodyText:
    return BodyText(role, ("messages", 0, "content"), text, 0, len(text))


def offered(*texts: str) -> Offered:
    return Offered("half", "gpt", ("system", "hello"), tuple((Role.USER, text) for text in texts))


def same(text: str) -> str | None:
    return text


def store(
    path: Path,
    share: float = 1.0,
    most: int = MANY,
    redact: Callable[[str], str | None] = same,
) -> SampleStore:
    opened = SampleStore(path, share, most, redact)
    opened.open()
    return opened


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_says_what_the_text_is_and_nothing_of_who_sent_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sample.jsonl"
    store(path).append([offered("päivää \ud800")])
    (line,) = lines(path)
    assert set(line) == {"id", "source", "doc", "role", "policy", "model", "text"}
    assert (line["source"], line["role"], line["policy"], line["model"]) == (
        *("sample", "user", "half", "gpt"),
    )
    assert line["text"] == "päivää \ud800"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_text_is_written_once_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "sample.jsonl"
    first = store(path)
    first.append([offered("one", "two"), offered("one")])
    first.close()
    first.close()
    with path.open("a") as file:
        file.write("torn\n")
    store(path).append([offered("two", "three")])
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines() if line != "torn"]
    assert texts == ["one", "two", "three"]


def test_turns_of_a_conversation_are_one_document(tmp_path: Path) -> None:
    path = tmp_path / "sample.jsonl"
    other = Offered("half", "gpt", ("system", "bye"), ((Role.USER, "three"),))
    store(path).append([offered("one"), offered("two"), other])
    docs = [line["doc"] for line in lines(path)]
    assert docs[0] == docs[1] != docs[2]


def test_the_share_is_of_different_texts_and_always_the_same_ones(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(2000)]
    for name in ("a", "b"):
        store(tmp_path / name, share=0.1).append([offered(*texts)])
    assert 140 < len(lines(tmp_path / "a")) < 260
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_does_not_outgrow_its_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sample.jsonl"
    store(path, most=1000).append([offered(*(f"{n} {'x' * 200}" for n in range(20)))])
    assert 500 < path.stat().st_size <= 1000
    assert [record.message for record in caplog.records] == [
        "sample.path has reached sample.max_mb; no more is written to it"
    ]


def test_what_is_redacted_and_what_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def redact(text: str) -> str | None:
        if text == "break":
            raise RuntimeError(text * 2)
        if text == "number":
            return 7  # type: ignore[return-value]
        return None if text == "secret" else text.replace("Ann", "NAME")

    path = tmp_path / "sample.jsonl"
    with caplog.at_level(logging.WARNING):
        store(path, redact=redact).append(
            [offered("Ann sleeps", "secret", "break", "number", "break", "last")]
        )
    assert [line["text"] for line in lines(path)] == ["NAME sleeps", "last"]
    assert len(caplog.records) == 2
    assert "RuntimeError" in caplog.text
    assert "breakbreak" not in caplog.text


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = SampleStore(tmp_path / "file" / "sample.jsonl", 1, MANY, same)
    with pytest.raises(StoreError, match=r"sample\.path cannot be written"):
        blocked.open()
    with pytest.raises(StoreError, match=r"sample\.path is not open"):
        blocked.append([offered("one")])


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sample.jsonl"
    opened = store(path)
    opened.append([offered("one")])
    before, write = path.read_bytes(), os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:10]))
        with pytest.raises(StoreError, match="the disk is full"):
            opened.append([offered("two")])
    assert path.read_bytes() == before
    opened.append([offered("two")])
    assert [line["text"] for line in lines(path)] == ["one", "two"]


async def test_what_is_offered_is_what_the_policy_compresses(tmp_path: Path) -> None:
    path = tmp_path / "sample.jsonl"
    sampler = Sampler(SampleConfig(path=path, share=1))
    await sampler.start()
    texts = [body_text("be kind", Role.SYSTEM), body_text("a long one"), body_text("short")]
    decisions = [
        Decision(False, "role"),
        Decision(True, "rate 0.5", rate=0.5),
        Decision(False, "min_tokens"),
    ]
    sampler.offer("half", "gpt", texts, decisions)
    sampler.offer("half", "gpt", texts[:1], decisions[:1])
    assert sampler.degraded() is None
    await sampler.close()
    assert [line["text"] for line in lines(path)] == ["a long one"]


async def test_a_full_disk_or_a_missing_folder_is_said_and_costs_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    lost: list[int] = []
    sampler = Sampler(
        SampleConfig(path=tmp_path / "file" / "x.jsonl", share=1),
        on_dropped=lambda name, count: lost.append(count),
    )
    await sampler.start()
    for number in range(200):
        text = [body_text(f"text {number}")]
        sampler.offer("half", "gpt", text, [Decision(True, "rate 0.5", rate=0.5)])
    assert "sample.path cannot be written" in (sampler.degraded() or "")
    await sampler.close()
    assert sum(lost) == 200


def test_a_hook_is_imported_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("redaction_for_tests")
    module.scrub = same  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "redaction_for_tests", module)

    def sampler(hook: str) -> Sampler:
        return Sampler(SampleConfig(path=tmp_path / "s.jsonl", redact=hook))

    sampler("redaction_for_tests:scrub")
    with pytest.raises(ValueError, match="has no function other"):
        sampler("redaction_for_tests:other")
    with pytest.raises(ValueError, match="not_there cannot be imported"):
        sampler("not_there:scrub")
    with pytest.raises(ValueError, match=r"sample\.path is not set"):
        Sampler(SampleConfig())


@pytest.mark.parametrize("hook", ["scrub", "a:b:c", "a.b", ":f", "a b:f"])
def test_what_names_no_function(hook: str) -> None:
    with pytest.raises(ValueError, match="is not like my_package"):
        SampleConfig(redact=hook)
