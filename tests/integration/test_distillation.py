"""The page about distillation, followed step by step: real files, and a teacher on a real port."""

import json
import random
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import build
from tests.compressor.tiny_checkpoints import write_checkpoint
from tests.compressor.training.scripted_teacher import cross_out, text_of
from tests.proxy.commands.scripted_endpoint import Endpoint

PAGE = (Path(__file__).parents[2] / "docs" / "distillation.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^tersely (distill .*)$", "".join(BLOCKS), re.MULTILINE)
FURTHER = re.findall(
    r"^tersely ((?:train|tune|export|calibrate) .*)$", "".join(BLOCKS), re.MULTILINE
)
NAMES = ["Ada", "Bert", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas"]
THINGS = ["printer", "invoice", "router", "badge", "laptop", "licence", "mailbox", "door"]
PLACES = ["Lyon", "Porto", "Turin", "Ghent", "Graz", "Basel", "Malmo", "Delft", "Vigo", "Bergen"]
GARBAGE = (200, {}, {"object": "error"})
BUSY = (429, {"retry-after": "0"}, {"error": {"message": "slow down"}})


def document(seed: int, sentences: int = 14) -> str:
    draw = random.Random(seed)
    found = []
    for _ in range(sentences):
        name, thing, place = (draw.choice(words) for words in (NAMES, THINGS, PLACES))
        number = draw.randint(2, 900)
        found.append(
            draw.choice(
                (
                    f"{name} from {place} says that the {thing} has not been working for "
                    f"{number} days.",
                    f"We have sent {name} the new {thing} with the number {number} to {place}.",
                    f"In {place} people are waiting for a {thing}: {number} of them, and {name} "
                    "is one.",
                )
            )
        )
    return " ".join(found)


@pytest.fixture
def teacher() -> Iterator[Endpoint]:
    made = Endpoint()
    made.reply = cross_out
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the page's commands find: a folder of documents, tickets, and questions to keep out."""
    (tmp_path / "docs").mkdir()
    for number in range(3):
        text = f"# Page {number}\n\n{document(number)}\n\n{document(number + 50)}\n"
        (tmp_path / "docs" / f"page{number}.md").write_text(text, "utf-8")
    tickets = [{"body": document(100 + number), "doc": f"t{number}"} for number in range(4)]
    write(tmp_path / "tickets.jsonl", [*tickets, tickets[0], {"body": "Thanks!"}])
    write(tmp_path / "questions.jsonl", [{"doc": "q", "text": document(0)}])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]


def run(command: str, teacher: Endpoint) -> Result:
    """Run a command of the page, with the teacher of the test."""
    arguments = shlex.split(command)
    if arguments[1] == "label":
        arguments[arguments.index("--base-url") + 1] = teacher.url
        arguments.append("--yes")
    if arguments[0] == "train":
        arguments[arguments.index("--encoder") + 1] = "encoder"
        arguments += ["--learning-rate", "0.01", "--train-embeddings", "--fp32", "--threads", "1"]
    return CliRunner().invoke(build(), arguments, env={"TEACHER_KEY": "sk-teacher"})


def misbehaving(prompt: str) -> str:
    """Paraphrase one passage at first, and another one whatever is said."""
    text = text_of(prompt)
    if "Page 1" in text and "tried before" not in prompt:
        return "Several customers reported broken equipment across multiple European offices."
    if text.startswith("# Page 2"):
        return "Nothing worth mentioning happened anywhere."
    return cross_out(prompt)


@pytest.mark.usefixtures("folder")
def test_the_pages_commands_one_after_the_other(teacher: Endpoint) -> None:
    collect, without_overlap, label, annotate = COMMANDS
    done = run(collect, teacher)
    assert done.exit_code == 0, done.stderr
    assert "1 dropped: exact duplicate" in done.stdout
    assert "1 texts too short" in done.stdout
    collected = read("passages.jsonl")
    assert {row["source"] for row in collected} == {"page0", "page1", "page2", "tickets"}
    assert {row["licence"] for row in collected} == {"internal"}
    assert {row["doc"] for row in collected if row["source"] == "tickets"} == {
        *("t0", "t1", "t2", "t3"),
    }

    done = run(without_overlap, teacher)
    assert done.exit_code == 0, done.stderr
    kept = read("training.jsonl")
    assert 0 < len(kept) < len(collected)
    assert not any(document(0)[:60] in row["text"] for row in kept)

    teacher.script = [BUSY, GARBAGE]
    teacher.reply = misbehaving
    done = run(label, teacher)
    assert done.exit_code == 0, done.stderr
    assert "2 tries repeated, 0 failed" in done.stderr
    assert set(teacher.keys) == {"Bearer sk-teacher"}
    labelled = read("labelled.jsonl")
    assert [row["id"] for row in labelled] == [row["id"] for row in kept]
    flagged = [row for row in labelled if "flags" in row]
    assert [row["source"] for row in flagged] == ["page2"]

    asked = len(teacher.bodies)
    assert run(label, teacher).exit_code == 0
    assert len(teacher.bodies) == asked  # all of it is on disk

    done = run(annotate, teacher)
    assert done.exit_code == 0, done.stderr
    annotated = read("annotated.jsonl")
    wanted = {r["id"] for r in labelled if r["source"] != "tickets" and "flags" not in r}
    assert {row["id"] for row in annotated} == wanted
    for row in annotated:
        labels = {row["text"][start:end]: label for start, end, label in row["words"]}
        assert labels["."] is None
        assert {0, 0.5, 1} <= set(labels.values())
        assert labels.get("the", 0) == labels.get("a", 0) == 0  # the teacher's fillers
        assert row["metrics"]["light"]["match"] == 1
    for name in ("passages", "training", "labelled", "annotated"):
        assert json.loads(Path(f"{name}.manifest.json").read_text("utf-8"))["versions"]["python"]
    assert "sk-teacher" not in "".join(p.read_text("utf-8") for p in Path().glob("*.json*"))


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_from_texts_to_a_classifier(folder: Path, teacher: Endpoint) -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
    threads = torch.get_num_threads()
    (folder / "encoder").mkdir()
    write_checkpoint("bert", folder / "encoder")
    tickets = [{"body": document(100 + number), "doc": f"t{number}"} for number in range(40)]
    write(folder / "tickets.jsonl", tickets)
    asked = [{"id": f"q{n}", "question": "Where?", "answers": PLACES} for n in range(10)]
    texts = [document(200 + number, sentences=4) for number in range(10)]
    write(
        folder / "asked.jsonl",
        [row | {"passages": [text]} for row, text in zip(asked, texts, strict=True)],
    )
    for command in [*COMMANDS[:3], COMMANDS[3].partition(" --leave-out")[0], *FURTHER]:
        done = run(command, teacher)
        assert done.exit_code == 0, (command, done.stdout, done.stderr)
    torch.set_num_threads(threads)  # what `--threads` has set for the whole process
    trained = json.loads((folder / "trained" / "training.json").read_text("utf-8"))
    assert trained["held_out_passages"] > 0
    assert trained["auc_light"] > 0.9  # it has learned which words this teacher crosses out
    tuned = json.loads((folder / "tuned" / "tuning.json").read_text("utf-8"))
    assert len(tuned["rewards"]) == 2
    assert all(0 < reward <= 1 for reward in tuned["rewards"])
    for name in ("trained/model", "tuned/model", "exported/model", "exported/calibration"):
        manifest = json.loads((folder / f"{name}.manifest.json").read_text("utf-8"))
        assert manifest["versions"]["python"]
    exported = json.loads((folder / "exported" / "model.manifest.json").read_text("utf-8"))
    trained_facts = json.loads((folder / "trained" / "model.manifest.json").read_text("utf-8"))
    assert exported["inputs"][0] == trained_facts["output"]  # a chain from labels to weights
    named = json.loads((folder / "exported" / "calibration.json").read_text("utf-8"))
    assert "balanced" in json.dumps(named)
    shortened = run("compress docs/page0.md --classifier exported --rate 0.5", teacher).stdout
    before, after = (text.split() for text in ((folder / "docs/page0.md").read_text(), shortened))
    assert 0.3 * len(before) < len(after) < 0.7 * len(before)
    dropped = Counter(before) - Counter(after)
    assert dropped["the"] + dropped["a"] > dropped.total() / 8
