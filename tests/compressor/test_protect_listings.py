"""Further listings that stay byte for byte, and prose that begins as they do."""

import pytest

from compressor.protect import find_protected
from compressor.types import Settings

LISTINGS = {
    "SQL in lower case": """select o.id, c.name,
       sum(l.price) as total
from orders o
left join customers c on c.id = o.customer_id
where o.status <> 'cancelled'
  and not exists (select 1 from refunds r where r.order_id = o.id)
order by total desc;""",
    "an update in lower case": """update boats
set painted = true
where harbour = 'north';""",
    "git blame": """9fceb02d (Jun Park 2026-03-10 17:22:41 +0900 41)  the old harbour was closed
3b18e512 src/a.py (Ana Lind 2025-11-02 09:14:00 +0100 42)  and nobody went there""",
    "a conflict": """<<<<<<< HEAD
wait for the whole of the night
=======
wait for an hour or so
>>>>>>> feature/slow""",
    "EXPLAIN": """ Seq Scan on orders  (cost=0.00..18334.00 rows=1 width=97)
   Filter: (NOT paid)
 Planning Time: 0.081 ms""",
    "Org code": """#+BEGIN_SRC sh
make the report of last week
#+END_SRC""",
    "a plan of Terraform": """  # aws_db_instance.main must be replaced
-/+ resource "aws_db_instance" "main" {
      ~ storage  = small -> large
      - guarded  = true -> null
    }""",
    "the count of a plan": "Plan: 1 to add, 0 to change, 2 to destroy.",
    "a table of Jira": """||Browser||Result||
|Firefox|it fails|
|Chrome|it works once|""",
    "a table in a box that is indented": """   +---------+---------------+
   | Section | Example       |
   +=========+===============+
   | first   | of the block  |
   +---------+---------------+""",
    "columns with a sum": """Article              Pieces   Each     Total
Flour                    40   21.50   860.00
Yeast                    15    2.10    31.50
Discount for the year                 -44.58""",
    "paths whose names have spaces": """./src/main.py
./docs/how to begin.md
./docs/what the harbour costs (draft)/index.md
./LICENSE""",
    "paths whose first name has spaces": """/srv/The harbour/plan of the pier.pdf
/srv/notes.txt
/srv/costs.csv""",
    "names alone": """LICENSE
Makefile
README.md
harbour
docs
tests""",
    "a diff of the plain kind": """2c2
< The pier was open to the boats.
---
> The pier is closed to the boats.
5a6,7
> They lie at the quay now.
> Nobody knows for how long.""",
    "what git's status lists": """\tmodified:   harbour/pier.py
\tnew file:   harbour/quay.py
\tdeleted:    harbour/dam.py""",
    "git's short status": """ M harbour/pier.py
R  harbour/dam.py -> harbour/wall.py
?? notes of the meeting.txt""",
    "git's names with their status": """M\tharbour/pier.py
R100\tharbour/dam.py\tharbour/wall.py""",
    "Java with its remarks": """package org.harbour;

import java.util.List;

/** Finds the boats of a captain. */
public class Boats {
    private final List<Boat> boats;

    public Boat find(int id) {
        return boats.get(id); // the first one is enough
    }
}

/**
 * What nobody has paid for yet.
 */
class Debts {
}""",
    "a style sheet with remarks": """/* The colours of the pier,
   and those of the quay */
.pier > .title {
  color: red;
}
/* The quay is for others. */
.quay {
  color: blue;
}""",
    "a module with its docstring": """'''Finds the boats of a captain.

It is used by those who look after the harbour, and by nobody else.
'''

from dataclasses import dataclass


@dataclass
class Boat:
    '''What lies at the pier or the quay.'''

    name: str = "none"

    def is_open(self) -> bool:
        '''Whether it is not yet paid for by the captain.'''
        return not self.name""",
    "sums of files": """3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b  main.py
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  how to begin.md""",
    "sizes of folders": "12K\t./plans of the pier\n1.5M\t./photos\n1.6M\t.",
    "counts of lines": """   10   52  398 main.py
    3   21   84 how to begin.md
   13   73  482 total""",
    "a folder on Windows": """03/05/2024  10:00    <DIR>          plans
03/05/2024  10:01             1,024 notes of the meeting.txt""",
    "a folder in PowerShell": """d-----        03/05/2024     10:00                plans
-a----        03/05/2024     10:01           1024 notes of the meeting.txt""",
    "TypeScript's errors": """src/app.ts(12,5): error TS2322: Type 'string' is not what was wanted.
src/index.ts(3,10): error TS2305: There is nothing of the name in it.""",
    "ESLint's findings": """  12:5  error    'pier' was given a value but never used  no-unused-vars
  40:1  warning  Unexpected console statement             no-console""",
    "a shell script": """#!/bin/sh
# Boats that lie here for long are moved elsewhere.
set -e

for boat in *.txt; do
  echo "the boat of $boat is moved"
  mv "$boat" /srv/elsewhere/
done

exit 0""",
}


LISTINGS["MediaWiki"] = """{| class="wikitable"
! Year !! Ore (t)
|-
| 1742 || 120
|-
| 1760
| 95
|}"""
LISTINGS["commands that are indented"] = """    systemctl status kubelet
    journalctl -u kubelet --since today | tail -50"""
LISTINGS["the end of a LaTeX list"] = "\\end{itemize}"


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_a_listing_is_one_block(name: str) -> None:
    text = f"It was like this for a week.\n\n{LISTINGS[name]}\n\nNobody knows why it was."
    found = [s for s in find_protected(text, Settings(rate=0.5)) if s.kind in ("code", "table")]
    assert [text[s.start : s.end] for s in found] == [LISTINGS[name]]


@pytest.mark.parametrize(
    "text",
    [
        "select a colour from the list and update the page.\ncreate a table if you like (or two).",
        "With care as the first rule we went on\nand nobody fell (it was dark).",
        "  # the boat will be painted\nand then we go",
        "Plan: to go home.",
        "pier\nharbour\nquay\nbasin\nboats\nand.",
        "/pier shows where the boats lie\n/quay shows who pays for them",
        "2c2\nwas written on the wall.",
        "#!/ was what he wrote, and nobody knew why.",
        "He paid; \n* one boat\n* another boat\nand left.",
        "/* was all that he wrote */\nNobody knew why.",
        "10 boats lay there\n3 of them were open",
        "  12:5 is the verse that they read",
        "DD has launched a suit.\nDD wants more.",
        "M was the first of them.\n?? was all he said.",
    ],
)
def test_prose_that_begins_like_one_is_text(text: str) -> None:
    assert not [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]


def test_prose_below_a_script_is_text() -> None:
    script = "#!/bin/sh\nset -e\nrm -r build"
    for prose in ("Explain this script", "what does this do?", "It was written by Ana."):
        text = f"{script}\n\n{prose}"
        code = [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]
        assert [text[s.start : s.end] for s in code] == [script]


def test_what_a_double_colon_announces_is_literal() -> None:
    block = "    sudo make me a sandwich\n    please wait\n\n      until it is done"
    text = f"Type this on the terminal::\n\n{block}\n\nand then look at it.\n"
    assert block.strip() in [
        text[span.start : span.end].strip() for span in find_protected(text, Settings(rate=0.5))
    ]
