"""A teacher that crosses words out by rule, for tests."""

import re

_LISTED = """
    the a an of in on at to and that it is was were be been has had with for as by very just
"""
_FILLERS = frozenset(_LISTED.split())


def text_of(prompt: str) -> str:
    """Return the text that a prompt asks to shorten."""
    found = re.search(r"<text>\n(.*)\n</text>\Z", prompt, re.DOTALL)
    assert found is not None, prompt
    return found[1]


def is_heavy(prompt: str) -> bool:
    return "shortened before" in prompt


def cross_out(prompt: str) -> str:
    """Leave function words out; of a text that was shortened before every second word besides."""
    lines = []
    for line in text_of(prompt).split("\n"):
        words = [word for word in line.split(" ") if word.lower() not in _FILLERS]
        lines.append(" ".join(words[::2] if is_heavy(prompt) else words))
    return "\n".join(lines)
