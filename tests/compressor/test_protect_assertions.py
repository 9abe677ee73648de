"""What test runners print of a failed check comes out byte for byte; prose like it is text."""

import numpy as np
import pytest

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words
from tests.compressor.tool_outputs import PROSE

COUNTER = load_counter("o200k_base")
REPORTS = {
    "pytest": """>       assert cart.total() == cart.sum()
E       assert forty == fifty
E        +  where forty = total()""",
    "pytest, a failure from its heading on": """____________ test_the_cart_is_whole ____________

cart = <Cart of four>

    def test_the_cart_is_whole(cart):
>       assert cart.total() == cart.sum()
E       assert forty == fifty

tests/test_cart.py:12: AssertionError""",
    "pytest, two texts": """E       AssertionError: assert 'open' == 'closed'
E
E         - closed
E         + open""",
    "jest": """    Expected: "open for all of the ships"
    Received: "closed to many\"""",
    "jest, a difference": """- Expected  - 1
+ Received  + 1

  Object {
-   "harbour": closed,
+   "harbour": open,
  }""",
    "mocha": """+ expected - actual

-the harbour was closed
+the harbour was open""",
    "Go": """--- FAIL: TestTotal (0.00s)
    cart_test.go:12: got forty, want fifty
    cart_test.go:15: Total is wrong for a cart of apples""",
    "Rust": """  left: Some(Closed)
 right: None""",
    "AssertJ": """Expecting actual:
  the harbour
to contain:
  all of the ships""",
}


@pytest.mark.parametrize("name", sorted(REPORTS))
@pytest.mark.parametrize("rate", [0.7, 0.4])
def test_a_report_stays_byte_for_byte(name: str, rate: float) -> None:
    text = f"{PROSE}\n\n{REPORTS[name]}\n\n{PROSE}"
    words = split_words(text)
    for seed in range(3):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        assert REPORTS[name] in extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize(
    "text",
    [
        "Left: the old lighthouse seen from the harbour in winter.\nRight: the same in summer.",
        "Expected: the ship should leave at noon every day.\nActual: it never leaves at all.",
        "> the band is booked for the evening\n> and the caterer sends the bill",
        "E is the fifth letter of it\n> and so on",
    ],
)
def test_prose_like_it_is_text(text: str) -> None:
    assert not [s for s in find_protected(text, Settings(rate=0.5)) if s.kind == "code"]
