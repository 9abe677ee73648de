import json
from pathlib import Path

import pytest

from compressor.evaluation import answers
from compressor.evaluation.datasets import DatasetError
from compressor.evaluation.tasks import READERS, ROUGE, ROUGE_MEAN, read_task
from tests.compressor.evaluation.sets import write_lines

MEETING = {
    "idx": 4,
    "prompt": "The meeting began.",
    "QA_pairs": [
        {"question": "When?", "answer": "at noon"},
        {"question": "Who?", "answer": "the chair"},
    ],
    "gpt4_summary": "A meeting.",
}


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.mark.parametrize("layout", [lambda e: [e], lambda e: {"0": e}])
def test_meetingbank(tmp_path: Path, layout) -> None:  # noqa: ANN001
    path = write_json(tmp_path / "meetings.json", layout(MEETING))
    first, second = read_task("meetingbank-qa", path)
    assert (first.id, second.id) == ("4.0", "4.1")
    assert first.context == "The meeting began."
    assert first.question == "When?"
    assert first.after.endswith("Question: When?\nAnswer:")
    assert (first.answers, first.metric, first.max_tokens) == (("at noon",), answers.contains, 100)
    assert first.keep_head
    [summary] = read_task("meetingbank-summary", path)
    assert (summary.answers, summary.metric, summary.question) == (("A meeting.",), ROUGE, None)


def test_longbench(tmp_path: Path) -> None:
    line = {"context": "Rome is old.", "input": "Is it?", "answers": ["yes", "old"]}
    write_lines(tmp_path / "hotpotqa_e.jsonl", [{**line, "all_classes": None}])
    write_lines(tmp_path / "gov_report.jsonl", [{**line, "input": ""}])
    write_lines(tmp_path / "trec.jsonl", [{**line, "all_classes": ["yes", "no"]}])
    write_lines(tmp_path / "other.jsonl", [{"not": "read"}])
    report, hotpot, trec = read_task("longbench", tmp_path)
    assert (report.task, report.metric, report.question) == ("longbench/gov_report", ROUGE, None)
    assert (hotpot.task, hotpot.id) == ("longbench/hotpotqa_e", "1")
    assert (hotpot.metric, hotpot.max_tokens, hotpot.first_line) == (answers.f1, 32, True)
    assert hotpot.answers == ("yes", "old")
    assert "Is it?" in hotpot.after
    assert callable(trec.metric)
    assert trec.metric("yes and no", "yes") == 0.5
    assert [e.task for e in read_task("longbench", tmp_path / "trec.jsonl")] == ["longbench/trec"]


def test_zeroscrolls_brings_its_own_prompt(tmp_path: Path) -> None:
    text = "Read the story.\n\nOnce upon a time.\n\nQuestion: When?\n\nAnswer:"
    start, asked = text.index("Once"), text.index("Question")
    line = {
        "id": "n1",
        "input": text,
        "output": "once",
        "document_start_index": start,
        "document_end_index": asked - 2,
        "query_start_index": asked,
        "query_end_index": text.index("\n\nAnswer"),
    }
    write_lines(tmp_path / "narrative_qa" / "validation.jsonl", [line])
    write_lines(tmp_path / "quality" / "validation.jsonl", [{**line, "output": "(B) once"}])
    write_lines(tmp_path / "squality" / "validation.jsonl", [line])
    summary, quality, story = read_task("zeroscrolls", tmp_path)
    assert story.before + story.context + story.after == text
    assert story.context == "Once upon a time."
    assert story.question == "Question: When?"
    assert (story.metric, summary.metric) == (answers.f1, ROUGE_MEAN)
    assert callable(quality.metric)
    assert quality.metric("(B) once", "(B) once") == 1
    alone = tmp_path / "squality" / "validation.jsonl"
    assert [e.task for e in read_task("zeroscrolls", alone)] == ["zeroscrolls/squality"]
    write_lines(alone, [line, {**line, "output": "then"}, {**line, "id": "n2"}])
    assert [(e.id, e.answers) for e in read_task("zeroscrolls", alone)] == [
        ("n1", ("once", "then")),
        ("n2", ("once",)),
    ]
    faulty = tmp_path / "faulty"
    write_lines(faulty / "qasper" / "validation.jsonl", [{**line, "document_end_index": 9999}])
    with pytest.raises(DatasetError, match="`document_end_index` is no offset"):
        read_task("zeroscrolls", faulty)


def test_gsm8k_with_either_kind_of_examples(tmp_path: Path) -> None:
    line = {"question": "1 + 1?", "answer": "One and one. #### 2"}
    write_lines(tmp_path / "test.jsonl", [line])
    write_lines(tmp_path / "train.jsonl", [{**line, "question": f"{i}?"} for i in range(10)])
    [example] = read_task("gsm8k", tmp_path)
    assert example.context.count("Question: ") == 8
    assert "The answer is 2" in example.context
    assert example.after.startswith("\n\nQuestion: 1 + 1?")
    assert example.metric is answers.last_number
    (tmp_path / "prompt_hardest.txt").write_text("Question: hard\nThe answer is 7\n")
    assert read_task("gsm8k", tmp_path)[0].context == "Question: hard\nThe answer is 7"


def test_bbh(tmp_path: Path) -> None:
    examples = {"examples": [{"input": "Is it? (A) (B)", "target": "(A)"}]}
    write_json(tmp_path / "bbh" / "navigate.json", examples)
    prompts = tmp_path / "cot-prompts" / "navigate.txt"
    prompts.parent.mkdir()
    prompts.write_text("canary\n-----\nFollow the way.\n\nQ: a\nA: b\n\nQ: c\nA: d\n")
    [example] = read_task("bbh", tmp_path)
    assert example.before == "Follow the way.\n\n"
    assert example.context == "Q: a\nA: b\n\nQ: c\nA: d"
    assert example.after.startswith("\n\nQ: Is it?")
    assert example.answers == ("(A)",)
    for value in ({}, {"examples": 7}, [7]):
        write_json(tmp_path / "bbh" / "navigate.json", value)
        with pytest.raises(DatasetError, match=r"navigate\.json: `examples` is missing"):
            read_task("bbh", tmp_path)
    prompts.write_bytes(b"\xe9")
    with pytest.raises(DatasetError, match=r"navigate\.txt: not UTF-8: byte 0"):
        read_task("bbh", tmp_path)
    prompts.unlink()
    with pytest.raises(DatasetError, match="there are no examples for"):
        read_task("bbh", tmp_path)


@pytest.mark.parametrize(
    ("task", "value", "said"),
    [
        ("meetingbank-qa", 7, "a list of entries is wanted"),
        ("meetingbank-qa", [7], "entry 0: a JSON object is wanted"),
        ("meetingbank-qa", [{"prompt": "x"}], "entry 0: `QA_pairs` is missing"),
        ("meetingbank-qa", [], "no examples of meetingbank-qa"),
        ("meetingbank-summary", [{"prompt": "x"}], "`gpt4_summary` is missing"),
        ("longbench", {}, "no file there is named after one of narrativeqa"),
        ("chess", {}, "there is no task 'chess'; there are meetingbank-qa"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, task: str, value: object, said: str) -> None:
    path = write_json(tmp_path / "file.json", value)
    with pytest.raises(DatasetError, match=said):
        read_task(task, path)
    assert set(READERS) >= {"gsm8k", "bbh", "longbench", "zeroscrolls"}
