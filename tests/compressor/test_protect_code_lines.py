"""One line of code among lines of prose is whole, and what only looks like one is prose."""

import pytest

from compressor.protect import find_protected
from compressor.types import Kind, Settings

CODE = [
    "def total(items, tax=0.2, *, rounding=None) -> Decimal:",
    "async def fetch(self, url: str) -> bytes: ...",
    "class Invoice(Base):",
    "int main(int argc, char **argv) {",
    "static inline void swap(struct node *a, struct node *b);",
    "public List<String> names(int limit) throws IOException {",
    "func (s *Server) Start(ctx context.Context) error {",
    "fn parse(input: &str) -> Result<Ast, Error>;",
    "function total(items, tax) {",
    "export const add = (a, b) => a + b;",
    "for (let i = 0; i < items.length; i++) total += items[i].price;",
    "if (left == null) return right;",
    "const port = process.env.PORT || 8080;",
    "from collections import Counter",
    "import numpy as np",
    "#include <stdio.h>",
    "let mut count = 0;",
    "std::vector<int> primes = {2, 3, 5, 7};",
    "result = compute(first, second)[0]",
    "rows, total = load(path, limit=10)",
    "total += item.price * item.count;",
    "foreach ($rows as $row) { echo $row; }",
    "val total: Int = items.sumOf { it.price }",
    'x := strings.Split(line, ",")',
    "    return sum(item.price for item in items)",
]
PROSE = [
    "for the tenant (as defined in clause 2);",
    "if the buyer(s) do not pay in time;",
    "The class of 1998 (the first one):",
    "Class actions (United States):",
    "import duties (if any);",
    "return of the goods (clause 7);",
    "from the beginning import was dearer",
    "public houses (pubs);",
    "function of the liver (see below);",
    "let us go there now;",
    "const and volatile are keywords;",
    "static electricity, as it were;",
    "N = 24 patients were asked",
    "Weight = 12 kg",
    "the party(ies);",
    "while (as he said) nobody knew;",
    "def. a short word for definition:",
    "With Anna (34):",
    "He said (and I believe it); she did not;",
    "a = b is what they say.",
    "for (a) the landlord; and (b) the tenant;",
    "if (a) the rent is late, or (b) the roof leaks;",
    "Client(e)s, étudiant(e)s :",
]
AROUND = ("The helper has been there since the very start.\n", "\nIt is called by all of them.")


def code(text: str) -> list[str]:
    spans = find_protected(text, Settings(rate=0.5))
    return [text[s.start : s.end] for s in spans if s.kind is Kind.CODE and not s.conditional]


@pytest.mark.parametrize("line", CODE)
def test_a_line_of_code_among_prose_is_whole(line: str) -> None:
    assert [found.strip() for found in code(line.join(AROUND))] == [line.strip()]


@pytest.mark.parametrize("line", PROSE)
def test_a_line_of_prose_is_no_code(line: str) -> None:
    assert code(line.join(AROUND)) == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Call total(items, tax=0.2) for the sum of them.", "total(items, tax=0.2)"),
        ("We see that open(path, 'rb') fails there.", "open(path, 'rb')"),
        ("Then np.zeros((3, 4), dtype=int) makes it.", "np.zeros((3, 4), dtype=int)"),
        ("It is sorted(names, key=len) that we want.", "sorted(names, key=len)"),
        ("Use range(1, 10) for the loop.", "range(1, 10)"),
        ("その関数はload(path, mode)で呼ぶ。", "load(path, mode)"),
    ],
)
def test_a_call_in_a_sentence_is_whole(text: str, whole: str) -> None:
    assert whole in code(text)


@pytest.mark.parametrize(
    "text",
    [
        "The buyer(s) and the seller(s) agreed on it.",
        "See Smith (2001, 2003) and others.",
        "Les client(e)s sont là, et les étudiant(e)s aussi.",
        "The shop(open daily, also on Sundays) is near.",
        "The lamp(red, blue or green) is on.",
    ],
)
def test_a_remark_behind_a_word_is_no_call(text: str) -> None:
    assert code(text) == []
