"""With the bundled classifier, on passages with labels that it should and should not agree with."""

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from compressor.words import Word, is_mark, split_words
from proxy.cli import build

TEXT = "The council approved the bridge over the northern harbour on Monday."
GIST = {"council", "approved", "bridge", "harbour", "Monday"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["eval", "ranking", *map(str, arguments)])


def annotated(path: Path, *, lang: str, turned: bool) -> dict[str, object]:
    def label(word: Word) -> float | None:
        if is_mark(TEXT, word):
            return None
        return float((TEXT[word.start : word.end] in GIST) != turned)

    words = [[word.start, word.end, label(word)] for word in split_words(TEXT)]
    fields = {"id": lang, "source": path.stem, "doc": lang, "lang": lang}
    return fields | {"text": TEXT, "words": words}


def test_auc_by_language_and_source(tmp_path: Path) -> None:
    path = tmp_path / "minutes.jsonl"
    lines = [annotated(path, lang="en", turned=False), annotated(path, lang="xx", turned=True)]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    done = run(path, "--all")
    assert done.exit_code == 0, done.stderr
    rows = {
        name: (passages, words, float(heavy), float(light))
        for name, passages, words, heavy, light in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in done.stdout.splitlines()[2:]
        )
    }
    assert rows["all"][:2] == ("2", "22")
    assert rows["en"][2] > 0.7
    assert rows["xx"][2] < 0.3
    assert rows["minutes"] == rows["all"]


def test_a_file_without_a_held_out_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "minutes.jsonl"
    path.write_text(json.dumps(annotated(path, lang="en", turned=False)), "utf-8")
    done = run(path)
    assert done.exit_code == 2
    assert "--all" in done.stderr
