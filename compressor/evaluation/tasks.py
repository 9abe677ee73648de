"""The LLMLingua-2 paper's tasks from local files, in the formats they are published in.

| task | files |
|---|---|
| meetingbank-qa, meetingbank-summary | JSON of LLMLingua-2's scripts: a list, or an object of entries, with `prompt`, `QA_pairs` of `question` and `answer`, `gpt4_summary` |
| longbench | one `NAME.jsonl` a data set, `NAME_e.jsonl` for LongBench-E: `context`, `input`, `answers`, `all_classes` |
| zeroscrolls | one `validation.jsonl` a data set, in a folder of its name or named after it: `input`, `output` and the offsets of document and query; lines of one `id` are one example with several answers |
| gsm8k | `test.jsonl` with `question` and `answer`; examples from `prompt_hardest.txt` or, without it, the first eight of `train.jsonl` |
| bbh | `bbh/NAME.json` with `examples` of `input` and `target`; examples from `cot-prompts/NAME.txt` |

The prompts around LongBench's and MeetingBank's contexts are this project's wording; ZeroSCROLLS
brings its own.
"""  # noqa: E501 - a table row is a line

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.evaluation import answers
from compressor.evaluation.datasets import (
    DatasetError,
    read_json,
    read_json_lines,
    read_text,
    text_field,
    texts_field,
)

Score = Callable[[str, str], float]
ROUGE = "rouge"  # scored over all answers at once, by scores.py
ROUGE_MEAN = "rouge-mean"

_CONCISE = "Answer the question from the text. Give only the answer, as short as possible."
_SUMMARY = "Summarise the text in one page."
_EXAMPLES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt: what stands before and after the context that may be shortened, and the answers.

    `metric` is a function of (prediction, gold), or ROUGE (ROUGE-L) or ROUGE_MEAN (geometric mean
    of ROUGE-1, -2 and -L) for summaries. `keep_head` says what stays of a context that is too long
    for the model: its head, or else both ends.
    """

    task: str
    id: str
    before: str
    context: str
    after: str
    question: str | None
    answers: tuple[str, ...]
    metric: Score | str
    max_tokens: int
    first_line: bool = False
    keep_head: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a data set is asked and scored."""

    instruction: str
    metric: Score | str
    max_tokens: int
    first_line: bool = False


def _longbench_kinds() -> Mapping[str, _Kind]:
    qa = _Kind(_CONCISE, answers.f1, 128, first_line=True)
    short = _Kind(_CONCISE, answers.f1, 32, first_line=True)
    summary = _Kind(_SUMMARY, ROUGE, 512)
    chinese = "根据文章简短回答问题，只给出答案。"
    find = "Name the paragraph that the summary is of, like: Paragraph 1"
    code = "Write the next line of code."
    return {
        "narrativeqa": qa,
        "qasper": qa,
        "multifieldqa_en": _Kind(_CONCISE, answers.f1, 64, first_line=True),
        "multifieldqa_zh": _Kind(chinese, answers.f1_unspaced, 64, first_line=True),
        "hotpotqa": short,
        "2wikimqa": short,
        "musique": short,
        "dureader": _Kind(chinese, ROUGE, 128, first_line=True),
        "gov_report": summary,
        "qmsum": _Kind("Answer the query from the transcript in a few sentences.", ROUGE, 512),
        "multi_news": summary,
        "vcsum": _Kind("总结会议的内容。", ROUGE, 512, first_line=True),
        "trec": _Kind(
            "Give the type of the last question, as in the examples.", "classes", 64, True
        ),
        "triviaqa": _Kind("Answer the last question, as in the examples.", answers.f1, 32, True),
        "samsum": _Kind("Summarise the last dialogue, as in the examples.", ROUGE, 128, True),
        "lsht": _Kind("判断最后一条新闻的类别，如例子所示。", "classes", 64, True),
        "passage_count": _Kind(
            "Say how many different paragraphs there are. Give only the number.",
            answers.share_of_numbers,
            32,
        ),
        "passage_retrieval_en": _Kind(find, answers.share_of_numbers, 32),
        "passage_retrieval_zh": _Kind(
            "指出摘要出自哪一段，格式如：段落1", answers.share_of_numbers, 32
        ),
        "lcc": _Kind(code, answers.code_similarity, 64),
        "repobench-p": _Kind(code, answers.code_similarity, 64),
    }


_ZEROSCROLLS: Mapping[str, tuple[Score | str, int]] = {
    "gov_report": (ROUGE_MEAN, 1024),
    "summ_screen_fd": (ROUGE_MEAN, 512),
    "qmsum": (ROUGE_MEAN, 512),
    "squality": (ROUGE_MEAN, 512),
    "quality": (answers.option_or_text, 10),
    "narrative_qa": (answers.f1, 64),
    "qasper": (answers.f1, 128),
    "musique": (answers.f1, 32),
    "space_digest": (answers.percent_similarity, 36),
    "book_sum_sort": (answers.concordance, 256),
}


def read_task(task: str, path: Path) -> list[Example]:
    """Read one task's examples from a file or a folder. Raises DatasetError."""
    reader = READERS.get(task)
    if reader is None:
        raise DatasetError(f"there is no task '{task}'; there are {', '.join(READERS)}")
    found = list(reader(path))
    if not found:
        raise DatasetError(f"{path}: no examples of {task} there")
    return found


def _meetingbank(path: Path, *, summaries: bool) -> Iterator[Example]:
    data = read_json(path)
    entries = list(data.values()) if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise DatasetError(f"{path}: a list of entries is wanted")
    for number, entry in enumerate(entries):
        where = f"{path}: entry {number}"
        if not isinstance(entry, dict):
            raise DatasetError(f"{where}: a JSON object is wanted")
        transcript = text_field(entry, "prompt", where)
        name = str(entry.get("idx", number))
        if summaries:
            gold = (text_field(entry, "gpt4_summary", where),)
            before, after = "Summarise the meeting transcript.\n\n", "\n\nSummary:"
            yield Example(
                "meetingbank-summary", name, before, transcript, after, None, gold, ROUGE, 400,
                first_line=True, keep_head=True,
            )  # fmt: skip
            continue
        pairs = entry.get("QA_pairs")
        if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
            raise DatasetError(f"{where}: `QA_pairs` is missing or is not a list of objects")
        for index, pair in enumerate(pairs):
            asked = text_field(pair, "question", where)
            gold = (text_field(pair, "answer", where),)
            before = "Answer the question from the meeting transcript.\n\n"
            after = f"\n\nQuestion: {asked}\nAnswer:"
            yield Example(
                "meetingbank-qa", f"{name}.{index}", before, transcript, after, asked, gold,
                answers.contains, 100, first_line=True, keep_head=True,
            )  # fmt: skip


def _longbench(path: Path) -> Iterator[Example]:
    kinds = _longbench_kinds()
    for file in _files(path, "*.jsonl", kinds):
        # LongBench-E has the same data sets, evenly long, in files beside them
        kind = kinds[file.stem.removesuffix("_e")]
        for where, row in read_json_lines(file):
            asked = text_field(row, "input", where)
            metric = kind.metric
            if metric == "classes":
                metric = _classification(texts_field(row, "all_classes", where))
            yield Example(
                f"longbench/{file.stem}",
                where.rpartition(":")[2],
                f"{kind.instruction}\n\n",
                text_field(row, "context", where),
                f"\n\n{asked}\n{kind.instruction}\n" if asked else f"\n\n{kind.instruction}\n",
                asked or None,
                texts_field(row, "answers", where),
                metric,
                kind.max_tokens,
                kind.first_line,
            )


def _classification(classes: Sequence[str]) -> Score:
    return lambda prediction, gold: answers.classification(prediction, gold, classes)


def _zeroscrolls(path: Path) -> Iterator[Example]:
    folders = [path / name / "validation.jsonl" for name in _ZEROSCROLLS]
    if path.name == "validation.jsonl":
        folders = [path]
    found = [file for file in folders if file.is_file()] or _files(path, "*.jsonl", _ZEROSCROLLS)
    for file in found:
        name = file.parent.name if file.stem == "validation" else file.stem
        if name not in _ZEROSCROLLS:
            raise DatasetError(f"{file}: the folder is named after no ZeroSCROLLS data set")
        metric, max_tokens = _ZEROSCROLLS[name]
        for (where, row), golds in _by_id(file):
            text = text_field(row, "input", where)
            start, end = (_offset(row, f"document_{side}_index", text, where) for side in _SIDES)
            asked = slice(*(_offset(row, f"query_{side}_index", text, where) for side in _SIDES))
            if metric is answers.option_or_text:
                metric = _option_letter
            yield Example(
                f"zeroscrolls/{name}",
                text_field(row, "id", where),
                text[:start],
                text[start:end],
                text[end:],
                text[asked].strip() or None,
                golds,
                metric,
                max_tokens,
            )


def _by_id(file: Path) -> Iterator[tuple[tuple[str, Mapping[str, Any]], tuple[str, ...]]]:
    """Yield the first line of every `id`, with the outputs of all its lines."""
    found: dict[str, tuple[tuple[str, Mapping[str, Any]], list[str]]] = {}
    for where, row in read_json_lines(file):
        _, golds = found.setdefault(text_field(row, "id", where), ((where, row), []))
        golds.append(text_field(row, "output", where))
    for first, golds in found.values():
        yield first, tuple(golds)


_SIDES = ("start", "end")


def _option_letter(prediction: str, gold: str) -> float:
    """Score QuALITY, whose answers are "(B)", with or without the words behind."""
    return answers.option_or_text(prediction, gold.strip()[:3])


def _offset(row: Mapping[str, Any], name: str, text: str, where: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or not 0 <= value <= len(text):
        raise DatasetError(f"{where}: `{name}` is no offset into `input`")
    return value


def _gsm8k(path: Path) -> Iterator[Example]:
    shown = path / "prompt_hardest.txt"
    if shown.is_file():
        context = read_text(shown).strip()
    else:
        rows = list(read_json_lines(path / "train.jsonl"))[:_EXAMPLES_SHOWN]
        context = "\n\n".join(
            f"Question: {text_field(row, 'question', where)}\nLet's think step by step\n"
            + text_field(row, "answer", where).replace("####", "The answer is")
            for where, row in rows
        )
    for where, row in read_json_lines(path / "test.jsonl"):
        asked = text_field(row, "question", where)
        yield Example(
            "gsm8k",
            where.rpartition(":")[2],
            "Follow the examples to answer the last question. End with: The answer is\n\n",
            context,
            f"\n\nQuestion: {asked}\nLet's think step by step\n",
            asked,
            (text_field(row, "answer", where),),
            answers.last_number,
            400,
        )


def _bbh(path: Path) -> Iterator[Example]:
    for file in sorted((path / "bbh").glob("*.json")):
        prompt = path / "cot-prompts" / f"{file.stem}.txt"
        if not prompt.is_file():
            raise DatasetError(f"{prompt}: there are no examples for {file}")
        # The first two lines are a canary and a rule; then the instruction and the examples.
        shown = read_text(prompt).partition("-----\n")
        instruction, _, context = (shown[2] or shown[0]).strip().partition("\n\n")
        data = read_json(file)
        rows = data.get("examples") if isinstance(data, dict) else data
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DatasetError(f"{file}: `examples` is missing or is not a list of objects")
        for number, row in enumerate(rows):
            where = f"{file}: example {number}"
            asked = text_field(row, "input", where)
            yield Example(
                f"bbh/{file.stem}",
                str(number),
                f"{instruction}\n\n",
                context,
                f"\n\nQ: {asked}\nA: Let's think step by step.\n",
                asked,
                (text_field(row, "target", where),),
                answers.option_or_text,
                800 if file.stem == "geometric_shapes" else 400,
            )


def _files(path: Path, pattern: str, known: Mapping[str, object]) -> list[Path]:
    found = [path] if path.is_file() else sorted(path.glob(pattern))
    named = [file for file in found if file.stem.removesuffix("_e") in known]
    if not named:
        raise DatasetError(f"{path}: no file there is named after one of {', '.join(known)}")
    return named


READERS: Mapping[str, Callable[[Path], Iterator[Example]]] = {
    "meetingbank-qa": lambda path: _meetingbank(path, summaries=False),
    "meetingbank-summary": lambda path: _meetingbank(path, summaries=True),
    "longbench": _longbench,
    "zeroscrolls": _zeroscrolls,
    "gsm8k": _gsm8k,
    "bbh": _bbh,
}
