import asyncio
import json
from pathlib import Path

import pytest

from compressor.evaluation.ask import (
    AskFailed,
    AskRefused,
    PatientAsk,
    Prompt,
    Reply,
    all_at_once,
)


class Scripted:
    """Answers with what the script says next; an exception is raised. Counts what is out."""

    def __init__(self, *script: Reply | Exception) -> None:
        self.script = list(script)
        self.asked: list[Prompt] = []
        self.running = 0
        self.most_running = 0

    async def __call__(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        said = self.script.pop(0) if self.script else Reply("yes", 10, 2)
        if isinstance(said, Exception):
            raise said
        return said


class Slept:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


PROMPT = Prompt("model", "question", 5)


def test_the_key_is_the_content() -> None:
    others = (Prompt("m", "question", 5), Prompt("model", "q", 5), Prompt("model", "question", 6))
    assert len({PROMPT.key, *(p.key for p in others)}) == 4
    assert Prompt("model", "question", 5).key == PROMPT.key


async def test_replies_are_kept_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "replies.jsonl"
    first = Scripted(Reply("päivää", 7, 3))
    ask = PatientAsk(first, path)
    assert await ask(PROMPT) == Reply("päivää", 7, 3)
    assert (ask.totals.asked, ask.totals.prompt_tokens, ask.totals.completion_tokens) == (1, 7, 3)
    assert ask.totals.dollars(2, 10) == pytest.approx((7 * 2 + 3 * 10) / 1e6)
    with path.open("a") as file:
        file.write('{"key": "torn')  # as a killed process leaves it
    second = Scripted()
    again = PatientAsk(second, path)
    assert await again(PROMPT) == Reply("päivää", 7, 3)
    assert (again.totals.cached, again.totals.asked, second.asked) == (1, 0, [])
    await again(Prompt("model", "another", 5))  # must not join the torn line
    third = PatientAsk(Scripted(), path)
    await third(Prompt("model", "another", 5))
    assert (third.totals.cached, third.totals.asked) == (1, 0)


async def test_a_failure_that_may_pass_is_tried_again_after_a_while(tmp_path: Path) -> None:
    slept = Slept()
    script = Scripted(
        AskFailed("busy", retry=True), AskFailed("limit", retry=True, after=7.5), Reply("yes")
    )
    ask = PatientAsk(script, tmp_path / "r.jsonl", sleep=slept)
    assert (await ask(PROMPT)).text == "yes"
    assert slept.seconds == [1.0, 7.5]
    assert (ask.totals.retried, ask.totals.failed) == (2, 0)


async def test_tries_end_and_failures_are_not_kept(tmp_path: Path) -> None:
    slept = Slept()
    busy = [AskFailed("busy", retry=True)] * 3
    script = Scripted(Reply("first"), *busy)
    ask = PatientAsk(script, tmp_path / "r.jsonl", tries=3, sleep=slept)
    await ask(Prompt("model", "another", 5))
    with pytest.raises(AskFailed, match="busy"):
        await ask(PROMPT)
    assert slept.seconds == [1.0, 2.0]
    assert ask.totals.failed == 1
    assert (await ask(PROMPT)).text == "yes"


async def test_pauses_grow_to_a_minute(tmp_path: Path) -> None:
    slept = Slept()
    script = Scripted(*[AskFailed("busy", retry=True)] * 9)
    await PatientAsk(script, tmp_path / "r.jsonl", tries=10, sleep=slept)(PROMPT)
    assert slept.seconds == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0, 64.0]


async def test_a_failure_that_will_not_pass_is_tried_once(tmp_path: Path) -> None:
    script = Scripted(AskFailed("too long", retry=False))
    with pytest.raises(AskFailed, match="too long"):
        await PatientAsk(script, tmp_path / "r.jsonl")(PROMPT)
    assert len(script.asked) == 1


async def test_where_nothing_ever_answered_the_run_is_refused(tmp_path: Path) -> None:
    script = Scripted(*[AskFailed("no connection", retry=True)] * 2)
    ask = PatientAsk(script, tmp_path / "r.jsonl", tries=2, sleep=Slept())
    with pytest.raises(AskRefused, match="no reply in 2 tries: no connection"):
        await ask(PROMPT)


async def test_one_that_never_answers_does_not_end_a_run_that_has_answers(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    await PatientAsk(Scripted(), path)(PROMPT)
    crashes = Scripted(*[AskFailed("crash", retry=True)] * 2)
    with pytest.raises(AskFailed, match="crash"):
        await PatientAsk(crashes, path, tries=2, sleep=Slept())(Prompt("model", "another", 5))


async def test_as_many_in_a_row_as_go_out_at_once_end_the_run(tmp_path: Path) -> None:
    script = Scripted(Reply("first"), *[AskFailed("gone", retry=True)] * 4)
    ask = PatientAsk(script, tmp_path / "r.jsonl", concurrency=2, tries=2, sleep=Slept())
    await ask(PROMPT)
    with pytest.raises(AskFailed, match="gone"):
        await ask(Prompt("model", "second", 5))
    with pytest.raises(AskRefused, match="no reply in 2 tries: gone"):
        await ask(Prompt("model", "third", 5))


async def test_a_kept_reply_that_is_no_text_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"key": PROMPT.key, "text": [{"type": "text"}]}) + "\n")
    assert (await PatientAsk(Scripted(), path)(PROMPT)).text == "yes"


async def test_few_are_out_at_once_and_equal_prompts_are_asked_once(tmp_path: Path) -> None:
    script = Scripted()
    ask = PatientAsk(script, tmp_path / "r.jsonl", concurrency=3)
    prompts = [Prompt("model", str(i), 5) for i in range(10)] * 2
    await asyncio.gather(*(ask(prompt) for prompt in prompts))
    assert script.most_running == 3
    assert len(script.asked) == 10
    assert (ask.totals.asked, ask.totals.cached) == (10, 10)


async def test_all_at_once_keeps_the_order_of_what_it_was_given() -> None:
    second_was = asyncio.Event()

    async def first() -> int:
        await second_was.wait()
        return 1

    async def second() -> int:
        second_was.set()
        return 2

    assert await all_at_once([first(), second()]) == [1, 2]


async def test_the_first_error_ends_the_rest_and_is_raised_alone() -> None:
    ended: list[str] = []

    async def waiting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waiting")

    async def refused() -> None:
        raise AskRefused("wrong key")

    with pytest.raises(AskRefused, match="wrong key"):
        await all_at_once([waiting(), refused()])
    assert ended == ["waiting"]
