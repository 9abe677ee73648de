"""Nothing load-bearing is lost over the generated part of the corpus; passages are read evenly."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from compressor.engine import Compressor
from compressor.evaluation.corpus.generated import Case, generate, prose_in_json
from compressor.evaluation.corpus.report import domains_line, fault_lines, kinds_table
from compressor.evaluation.corpus.run import Tally, read_passages, run
from compressor.evaluation.datasets import DatasetError
from compressor.types import CompressionResult, Settings
from tests.compressor.scripted_classifier import ScriptedClassifier


def test_nothing_load_bearing_is_lost_in_generated_texts() -> None:
    with Compressor(ScriptedClassifier(), workers=1) as compressor:
        tally = run(generate(60), compressor, json_documents=list(prose_in_json(1, 4)))
    assert not list(fault_lines(tally, 3))
    wanted = {"url", "email", "path", "uuid", "hash", "version", "date", "inline code", "JSON"}
    wanted |= {"quote", "negation", "number", "table", "list item", "log line", "planted item"}
    wanted |= {"fenced code", "indented code", "JSON with shorter prose", "shape of the text"}
    assert wanted <= {kind for kind, _ in tally.called}
    assert tally.tokens[0.2] < 0.75 * tally.tokens_before


def test_faults_are_counted_and_shown() -> None:
    # the same texts without any protection: the checkers have to see it
    with Compressor(ScriptedClassifier(), workers=1) as compressor:
        tally = run(generate(10), _Unprotected(compressor), rates=(0.33,))  # type: ignore[arg-type]
    kinds = {fault.kind for fault in tally.faults}
    assert {"url", "date", "uuid", "hash", "inline code", "negation", "planted item"} <= kinds
    table = kinds_table(tally)
    assert "| rate 0.33 |" in table
    assert any(" of " in line for line in table.splitlines() if line.startswith("| url"))
    assert domains_line(tally).startswith("10 texts: code 1, diff 1")
    assert max(Counter(line.split(",")[0] for line in fault_lines(tally, 2)).values()) == 2


class _Unprotected:
    def __init__(self, compressor: Compressor) -> None:
        self._compressor = compressor

    def compress(self, text: str, settings: Settings) -> CompressionResult:
        return self._compressor.compress(text, replace(settings, protect=frozenset()))


def test_passages_come_from_all_sources(tmp_path: Path) -> None:
    file = tmp_path / "distill" / "unlabelled.jsonl"
    file.parent.mkdir()
    sizes = {"a": 50, "b": 3, "c": 20}
    rows = [
        {"id": f"{source}{n}", "src": source, "text": "words"}
        for source, size in sizes.items()
        for n in range(size)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    cases = read_passages(tmp_path, 31)
    assert Counter(case.domain for case in cases) == {"a": 14, "b": 3, "c": 14}
    assert len({case.id for case in cases}) == 31
    assert len(read_passages(tmp_path, 500)) == 73
    assert read_passages(tmp_path, 0) == []


def test_passages_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unlabelled"):
        read_passages(tmp_path, 5)


def test_a_tally_without_faults() -> None:
    tally = Tally()
    tally.add(Case("x", "log", "text"), 0.5, [])
    assert not tally.faults
