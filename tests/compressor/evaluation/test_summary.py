import json

import pytest

from compressor.evaluation.bootstrap import NotComparable
from compressor.evaluation.metrics import Kept
from compressor.evaluation.runner import Row
from compressor.evaluation.summary import (
    Cell,
    curves,
    differences_table,
    retention_table,
    summarise,
    survival_table,
)


def row(
    method: str, doc: str, survived: list[bool | None], rate: float = 0.5, **more: object
) -> Row:
    fields: dict[str, object] = {
        "key": f"{method}{doc}{rate}",
        "set": "colours",
        "question": None,
        "tokens_before": 100,
        "tokens_after": round(100 * rate),
        "seconds": 0.5,
        "items": {"url": Kept(1, 2), "number": Kept(3, 4)},
        "negations": Kept(1, 1),
        **more,
    }
    answers = {f"q{i}": kept for i, kept in enumerate(survived)}
    return Row(method=method, doc=doc, rate=rate, survived=answers, **fields)  # type: ignore[arg-type]


ROWS = [
    row("tersely", "a", [True, True]),
    row("tersely", "b", [False, None]),
    row("random", "a", [True, False]),
    row("random", "b", [False, None]),
    row("tersely", "a", [True, True], 0.2),
    row("tersely", "b", [True, None], 0.2, tokens_after=30),
]


def test_cells_by_hand() -> None:
    tersely, random, low = summarise(ROWS)
    assert (tersely.method, tersely.rate, tersely.documents, tersely.questions) == (
        "tersely",
        0.5,
        2,
        3,
    )
    assert tersely.survival.value == pytest.approx(2 / 3)
    assert tersely.against is None
    assert random.survival.value == pytest.approx(1 / 3)
    assert random.against is not None
    assert random.against.value == pytest.approx(1 / 3)
    assert tersely.realised == pytest.approx(0.5)
    assert low.realised == pytest.approx(0.25)
    assert tersely.items == {"url": Kept(2, 4), "number": Kept(6, 8)}
    assert tersely.negations == Kept(2, 2)
    assert tersely.tokens_per_second == pytest.approx(200)


def test_cells_come_back_from_json() -> None:
    cells = summarise(ROWS)
    stored = json.loads(json.dumps([cell.as_dict() for cell in cells]))
    assert [Cell.parse(fields) for fields in stored] == cells


def test_questions_asked_one_by_one_belong_to_their_document() -> None:
    aware = [
        row("tersely-question", "a", [True], question="q0"),
        row("tersely-question", "a", [False], question="q1"),
        row("tersely-question", "b", [True], question="q0"),
    ]
    cells = summarise([*ROWS[:2], *aware], "tersely-question")
    assert [cell.documents for cell in cells] == [2, 2]
    assert cells[1].survival.value == pytest.approx(2 / 3)


def test_methods_with_other_documents_are_not_compared() -> None:
    with pytest.raises(NotComparable, match=r"colours at 0\.5"):
        summarise(ROWS[:3])


def test_tables_show_every_cell() -> None:
    cells = summarise(ROWS)
    survival = survival_table(cells).splitlines()
    assert survival[0] == "colours: 2 documents, 3 questions"
    assert survival[2] == "| method | 0.5 | 0.2 |"
    assert survival[4].startswith("| tersely | 0.667 (0.00 to 1.00) | 1.000 (1.00 to 1.00) |")
    assert survival[5].endswith("|  |")  # random was not run at 0.2
    retention = retention_table(cells).splitlines()
    assert retention[2] == "| tersely | 0.5 | 0.500 | 50.0% of 4 | 75.0% of 8 | 100.0% of 2 |"
    differences = differences_table(cells).splitlines()
    assert differences[2].startswith("| colours | 0.5 | random | +0.333 (")
    assert len(differences) == 3


def test_one_method_alone_has_no_differences() -> None:
    assert differences_table(summarise([row("tersely", "a", [True])])) == ""


def test_nothing_called_for_is_no_hundred_per_cent() -> None:
    [cell] = summarise([row("tersely", "a", [True], items={}, negations=Kept(0, 0))])
    assert retention_table([cell]).splitlines()[2].count("none") == 3


def test_curves_are_by_ascending_rate_in_the_order_of_methods() -> None:
    found = curves(summarise(ROWS))
    assert list(found["colours"]) == ["tersely", "random"]
    assert [cell.rate for cell in found["colours"]["tersely"]] == [0.2, 0.5]
