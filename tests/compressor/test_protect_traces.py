"""Traces stay whole over what a cause says on further lines, and PHP's with their message."""

import pytest

from compressor.protect import find_protected
from compressor.types import Settings

TRACES = {
    "PHP": """PHP Fatal error:  Uncaught InvalidAmountException: too little in /srv/Money.php:31
Stack trace:
#0 /srv/Cart.php(88): App\\Money->__construct(-5, 'EUR')
#1 /srv/index.php(12): App\\Cart->total()
#2 {main}
  thrown in /srv/Money.php on line 31""",
    "gdb": """#0  0x000055555555513d in pick (v=0x0, n=3) at pick.c:7
#1  0x0000555555555170 in main () at pick.c:14""",
    "Elixir": """** (MatchError) no match of right hand side value: {:error, :enoent}
    (tally 0.1.0) lib/tally.ex:14: Tally.read/1""",
    "Python, a group": """  + Exception Group Traceback (most recent call last):
  | ExceptionGroup: there are unhandled errors (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: this is not a number
    +------------------------------------""",
    "Node, an object behind": """TypeError: cannot read it
    at total (/app/src/cart.js:21:34)
    at async /app/src/server.ts:101:5 {
  code: 'ERR_CART',
  status: 500
}""",
    "C, an excerpt": """main.c:14:5: warning: implicit declaration of the function
   14 |     gets(buf);
      |     ^~~~""",
    "Java, a cause with a detail": """java.lang.IllegalStateException: could not close it
\tat com.example.Invoice.close(Invoice.java:118)
Caused by: org.example.SQLException: ERROR: a deadlock was found
  Detail: Process 71 waits for the lock of another one.
  Hint: See the log of the server for more of it.
\t... 34 more""",
}


@pytest.mark.parametrize("name", sorted(TRACES))
def test_a_trace_is_one_block(name: str) -> None:
    text = f"It was like this.\n\n{TRACES[name]}\n\nNobody knows why."
    found = [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]
    assert [text[s.start : s.end] for s in found if not s.conditional] == [TRACES[name]]


def test_a_list_with_hashes_is_no_trace() -> None:
    text = "Stack trace:\n#1 in our list of the words\n#2 is another one\n"
    assert not [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]
