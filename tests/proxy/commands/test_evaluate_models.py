"""`judge` and `tasks` against a real HTTP server that follows a script."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import build
from proxy.config import MissingVariable, environment_secret
from tests.compressor.evaluation.sets import DOCUMENTS, QUESTIONS, write_lines, write_sets
from tests.compressor.tiny_checkpoints import write_checkpoint
from tests.proxy.commands.scripted_endpoint import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(build(), ["eval", *map(str, arguments)], env=environment)


def judge(endpoint: Endpoint, tmp_path: Path, *more: object, **environment: str) -> Result:
    return run(
        *("judge", write_sets(tmp_path / "data"), "--base-url", endpoint.url, "--model", "small"),
        *("--set", "village", "--method", "tersely", "--rate", 0.5, "--out", tmp_path / "out"),
        *more,
        **environment,
    )


def knows_okafor(text: str) -> str:
    if "You grade" in text:
        return "yes" if "Given answer: Okafor" in text else "no"
    return "Okafor" if "Okafor" in text and "sign" in text.split("Question:")[1] else "unknown"


def test_a_judged_run_and_its_repetition_from_disk(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.reply = knows_okafor
    prices = ("--price-in", 1, "--price-out", 10)
    named = ("--api-key-env", "EVAL_KEY", "--judge-model", "large", "--questions", 2)
    first = judge(endpoint, tmp_path, *prices, *named, EVAL_KEY="sk-eval")
    assert first.exit_code == 0, first.stderr
    # four questions: one is answered right
    assert "| village | 0.5 | tersely | 4 | 0 | 0.250 (" in first.stdout
    assert "8 new replies, 0 from disk, 0 tries repeated, 0 failed" in first.stderr
    assert "800 prompt and 16 completion tokens, 0.0010 US dollars" in first.stderr
    assert set(endpoint.keys) == {"Bearer sk-eval"}
    assert sorted(body["model"] for body in endpoint.bodies) == ["large"] * 4 + ["small"] * 4
    assert json.loads((tmp_path / "out" / "judged.json").read_text())[0]["graded"] == 4
    again = judge(endpoint, tmp_path, *prices, *named, EVAL_KEY="sk-eval")
    assert again.stdout == first.stdout
    assert "0 new replies, 8 from disk" in again.stderr
    assert "0.0000 US dollars" in again.stderr
    assert len(endpoint.bodies) == 8


def test_a_failure_that_passes_is_waited_out(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.script = [
        (429, {"retry-after": "0"}, {"error": {"message": "slow down"}}),
        (503, {"retry-after": "0"}, {}),
    ]
    done = judge(endpoint, tmp_path, "--limit", 1, "--concurrency", 1)
    assert done.exit_code == 0
    assert "2 new replies, 0 from disk, 2 tries repeated, 0 failed" in done.stderr


def test_tries_and_the_wait_for_an_answer_have_options(endpoint: Endpoint, tmp_path: Path) -> None:
    once = ("--tries", 1, "--limit", 1)
    endpoint.script = [(503, {"retry-after": "0"}, {})]
    done = judge(endpoint, tmp_path, *once)
    assert done.exit_code == 2
    assert "Error: no reply in 1 try: the endpoint answered 503" in done.stderr
    assert len(endpoint.bodies) == 1

    asleep = threading.Event()
    endpoint.reply = lambda _: str(asleep.wait())
    try:
        done = judge(endpoint, tmp_path, *once, "--timeout", 1)
    finally:
        asleep.set()
    assert done.exit_code == 2
    assert "no reply in 1 try: the endpoint took longer than --timeout allows" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        *(("eval", "judge", "data"), ("eval", "tasks", "gsm8k", "data")),
        ("distill", "label", "in.jsonl", "out.jsonl"),
    ],
)
@pytest.mark.parametrize("option", ["--timeout", "--tries"])
def test_tries_and_the_wait_are_at_least_one(command: tuple[str, ...], option: str) -> None:
    asked = ("--base-url", "http://127.0.0.1:9/v1", "--model", "small")
    done = CliRunner().invoke(build(), [*command, *asked, option, "0"])
    assert done.exit_code == 2
    assert "Invalid value for" in done.stderr
    assert option in done.stderr


def test_a_case_that_cannot_be_answered_is_told_and_left_out(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.script = [(400, {}, {"error": {"message": "context too long"}})]
    done = judge(endpoint, tmp_path, "--concurrency", 1)
    assert done.exit_code == 0
    assert "| village | 0.5 | tersely | 1 | 1 | 0.000 (" in done.stdout
    assert "1 of 2 cases have no grade; the first: failed: " in done.stderr
    assert "400: context too long" in done.stderr
    # and is asked again by the next run
    assert "| tersely | 2 | 0 | " in judge(endpoint, tmp_path).stdout


def test_questions_without_gold_answers_are_not_asked(endpoint: Endpoint, tmp_path: Path) -> None:
    unanswered = {**QUESTIONS[0], "answers": []}
    data = write_lines(tmp_path / "some.jsonl", [*DOCUMENTS, unanswered, *QUESTIONS[1:]])
    options = ("--base-url", endpoint.url, "--model", "small", "--method", "original")
    done = run("judge", data, *options, "--rate", 0.5, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert "some: 1 of 4 questions have no gold answer and are left out" in done.stderr
    asked = "".join(body["messages"][0]["content"] for body in endpoint.bodies)
    assert "When do repairs begin?" in asked  # of its document the first that can be graded
    assert "Who had to sign?" not in asked


def test_where_no_question_has_a_gold_answer_nothing_is_asked(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    rows = [*DOCUMENTS, *({**question, "answers": [" "]} for question in QUESTIONS)]
    data = write_lines(tmp_path / "none.jsonl", rows)
    options = ("--base-url", endpoint.url, "--model", "small", "--out", tmp_path / "out")
    done = run("judge", data, *options)
    assert done.exit_code == 2
    assert f"{data}: no question about the documents that are looked at" in done.stderr
    assert endpoint.bodies == []
    assert not (tmp_path / "out").exists()


def test_a_run_of_which_every_case_failed(endpoint: Endpoint, tmp_path: Path) -> None:
    assert judge(endpoint, tmp_path).exit_code == 0
    written = (tmp_path / "out" / "judged.json").read_bytes()
    endpoint.script = [(400, {}, {"error": {"message": "context too long"}})] * 2
    done = judge(endpoint, tmp_path, "--reasoning")
    assert done.exit_code == 2
    assert "none of the 2 cases has a grade; the first: failed: the endpoint" in done.stderr
    assert "400: context too long" in done.stderr
    assert (tmp_path / "out" / "judged.json").read_bytes() == written


def test_a_judge_that_says_nothing_is_told(endpoint: Endpoint, tmp_path: Path) -> None:
    replies = iter(["no", ""])
    endpoint.reply = lambda text: next(replies) if "You grade" in text else "unknown"
    done = judge(endpoint, tmp_path, "--concurrency", 1)
    assert done.exit_code == 0
    assert "1 of 2 cases have no grade; the first: unreadable: an empty answer" in done.stderr


def test_a_model_that_says_nothing_is_wrong_and_told(endpoint: Endpoint, tmp_path: Path) -> None:
    replies = iter(["", "Okafor"])
    endpoint.reply = lambda text: "yes" if "You grade" in text else next(replies)
    done = judge(endpoint, tmp_path, "--concurrency", 1)
    assert done.exit_code == 0
    assert "| village | 0.5 | tersely | 2 | 0 | 0.500 (" in done.stdout
    assert "1 of 2 answers are empty and count as wrong" in done.stderr
    endpoint.reply = lambda text: "yes"
    assert "empty" not in judge(endpoint, tmp_path, "--reasoning").stderr


def test_a_judge_that_reasons_has_room_for_it(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.reply = lambda text: "yes" if "You grade" in text else "Okafor"
    judge(endpoint, tmp_path, "--reasoning")
    assert {body["max_completion_tokens"] for body in endpoint.bodies} == {8100, 8005}


def test_a_wrong_key_ends_the_run(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.script = [(401, {}, {"error": {"message": "wrong key"}})] * 9
    done = judge(endpoint, tmp_path, "--concurrency", 1)
    assert done.exit_code == 2
    assert "the endpoint answered 401: wrong key" in done.stderr
    assert len(endpoint.bodies) < 9


def test_options_that_cannot_be(endpoint: Endpoint, tmp_path: Path) -> None:
    done = judge(endpoint, tmp_path, "--api-key-env", "NO_SUCH_KEY")
    assert done.exit_code == 2
    assert "the environment variable NO_SUCH_KEY is not set" in done.stderr
    done = run("judge", tmp_path, "--base-url", "example.com", "--model", "m")
    assert done.exit_code == 2
    assert "--base-url" in done.stderr
    assert not endpoint.bodies


def test_a_task(endpoint: Endpoint, tmp_path: Path) -> None:
    def adds(text: str) -> str:
        asked = text.rsplit("Question: ", 1)[1]
        return "The answer is " + ("2" if asked.startswith("1 + 1?") else "5")

    endpoint.reply = adds
    line = {"question": "1 + 1?", "answer": "#### 2"}
    write_lines(tmp_path / "gsm" / "test.jsonl", [line, {"question": "2 + 2?", "answer": "#### 4"}])
    write_lines(tmp_path / "gsm" / "train.jsonl", [line] * 3)
    done = run(
        *("tasks", "gsm8k", tmp_path / "gsm", "--base-url", endpoint.url, "--model", "small"),
        *("--method", "original", "--method", "tersely", "--rate", 0.5, "--out", tmp_path / "out"),
        "--reasoning",
    )
    assert done.exit_code == 0, done.stderr
    for method in ("original", "tersely"):
        assert f"| gsm8k | {method} | 0.5 | 2 | 0 | 50.00 | " in done.stdout
    assert (tmp_path / "out" / "gsm8k.md").read_text().strip() == done.stdout.strip()
    assert {body["max_completion_tokens"] for body in endpoint.bodies} == {8400}
    endpoint.script = [(400, {}, {"error": {"message": "too long"}})] * 4
    failed = run(
        *("tasks", "gsm8k", tmp_path / "gsm", "--base-url", endpoint.url, "--model", "other"),
        *("--method", "original", "--method", "tersely", "--rate", 0.5, "--out", tmp_path / "out"),
    )
    assert failed.exit_code == 2
    assert "none of the 4 questions got an answer; the first: the endpoint" in failed.stderr
    again = run(
        *("tasks", "chess", tmp_path / "gsm", "--base-url", endpoint.url, "--model", "small"),
    )
    assert again.exit_code == 2
    assert "there is no task 'chess'" in again.stderr


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")  # bert-score's own use of transformers
def test_summaries_are_scored_by_bert_score_too(endpoint: Endpoint, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    write_checkpoint("bert", model, spread=0.5)
    named = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps({**named, "model_max_length": 64}))
    summary = "The committee met again."
    endpoint.reply = lambda text: summary
    path = tmp_path / "meetings.json"
    path.write_text(json.dumps([{"prompt": "They met. " * 20, "gpt4_summary": summary}]))
    at = ("--base-url", endpoint.url, "--model", "small", "--out", tmp_path / "out")
    one = ("--method", "original", "--rate", 0.5, "--bert-score", model)
    blind = run("tasks", "meetingbank-summary", path, *at, *one)
    assert blind.exit_code == 2
    assert "say how many to use" in blind.stderr
    assert not endpoint.bodies
    done = run("tasks", "meetingbank-summary", path, *at, *one, "--bert-layers", 2)
    assert done.exit_code == 0, done.stderr
    assert "| scored | failed | score | BERTScore | prompt tokens |" in done.stdout
    assert "| meetingbank-summary | original | 0.5 | 1 | 0 | 100.00 | 100.00 | " in done.stdout


def test_bert_score_is_for_summaries(endpoint: Endpoint, tmp_path: Path) -> None:
    line = {"context": "It is closed. ", "all_classes": None, "input": "?", "answers": ["x"]}
    write_lines(tmp_path / "hotpotqa.jsonl", [line])
    refused = run(
        *("tasks", "longbench", tmp_path / "hotpotqa.jsonl", "--base-url", endpoint.url),
        *("--model", "small", "--bert-score", "roberta-large", "--out", tmp_path / "out"),
    )
    assert refused.exit_code == 2
    assert "no example asks for a summary, which --bert-score is for" in refused.stderr
    assert not endpoint.bodies


def test_examples_without_gold_answers_are_not_asked(endpoint: Endpoint, tmp_path: Path) -> None:
    line = {"context": "The harbour is closed. " * 20, "all_classes": None}
    asked = [("Which?", ["harbour"]), ("Why?", []), ("When?", [" "])]
    path = tmp_path / "hotpotqa.jsonl"
    write_lines(path, [{**line, "input": text, "answers": golds} for text, golds in asked])
    endpoint.reply = lambda text: "harbour"
    at = ("--base-url", endpoint.url, "--model", "small", "--out", tmp_path / "out")
    one = ("--method", "original", "--rate", 0.5)
    done = run("tasks", "longbench", path, *at, *one)
    assert "| longbench/hotpotqa | original | 0.5 | 1 | 0 | 100.00 | " in done.stdout
    assert "2 of 3 examples have no gold answer and are left out" in done.stderr
    assert len(endpoint.bodies) == 1
    write_lines(path, [{**line, "input": "Why?", "answers": []}])
    none = run("tasks", "longbench", path, *at, *one)
    assert none.exit_code == 2
    assert "has a gold answer to score by" in none.stderr
    assert len(endpoint.bodies) == 1


def test_secrets_come_from_the_variable_named() -> None:
    assert environment_secret("A", {"A": "b"}).get_secret_value() == "b"
    for environment in ({}, {"A": ""}):
        with pytest.raises(MissingVariable, match="variable A is not set"):
            environment_secret("A", environment)
