"""Texts of many scripts and kinds of protected content, and amounts, for property tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

from compressor.tokens import Tokenizers
from compressor.types import Settings


class CharacterPairs:
    """Two characters a token: simple, and not additive over pieces of odd length."""

    def count(self, text: str) -> int:
        return (len(text) + 1) // 2

    def starts(self, text: str) -> Sequence[int]:
        return range(0, len(text), 2)


COUNTERS = [CharacterPairs(), Tokenizers().counter("o200k_base")]
PIECES = st.sampled_from(
    [
        "The committee did not approve the budget of 4,250 euros. ",
        "No one, she said, had seen the 12 km of cable (or heard of it)! ",
        "- first point about nothing\n",
        "1. numbered item: with a label\n",
        "## Heading\n\n",
        "Alice: I never said that.\nBob: You did, on 3 May 2021.\n",
        "See https://example.com/a?b=c and /var/log/app.log, v1.2.3. ",
        '{"id": 7, "name": "x", "tags": ["a", "b"]}\n',
        "```python\nif x:\n    return  1\n```\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        "He called it “quite impossible” and “mad”. ",
        "富士山の高さは3776メートルではない。",
        "这座茶园没有受冻，产量为40公顷。",
        "Die Brücke ist nicht mehr befahrbar. ",
        "What is the total? ",
        "\n\n",
        "  \t ",
        "🙂👍🏽 ok ",
        "state-of-the-art, don't; O'Brien's — e.g. this. ",
        "a_b_c fooBar() --flag=1 550e8400-e29b-41d4-a716-446655440000 ",
    ]
)
TEXTS = st.lists(PIECES | st.text(st.characters(codec="utf-8"), max_size=12), max_size=14).map(
    "".join
)
QUESTIONS = st.none() | st.sampled_from(
    ["How long was the cable?", "Who did not approve the budget of euros?", "富士山の高さは？", "?"]
)
AMOUNTS = st.one_of(
    st.builds(Settings, rate=st.floats(0.05, 1), question=QUESTIONS),
    st.builds(Settings, threshold=st.floats(0, 1), question=QUESTIONS),
    st.builds(Settings, target_tokens=st.integers(1, 200), question=QUESTIONS),
)
