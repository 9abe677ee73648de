"""Losses that other compressors are known for, tried with the bundled classifier."""

from collections.abc import Iterator

import pytest

from compressor import Compressor

RULES = (
    "Employees should submit the form by Friday or they may lose access to the building. Managers "
    "must approve it, and contractors may use the east or the west gate, but should not enter the "
    "lab. The committee also talked at great length about the weather and about how very nice the "
    "recent summer party in the garden had really been for everyone who was there. "
)
CODE = """```python
# keep: retries must stay at zero
x = 1  # see the note
// a stray line


y  =  2
```"""
TALK = "It is really quite a nice little piece of code, as everyone who has seen it so far agrees. "


@pytest.fixture(scope="module")
def compressor() -> Iterator[Compressor]:
    with Compressor() as compressor:
        yield compressor


@pytest.mark.parametrize("rate", [0.7, 0.5])
def test_negations_of_what_is_kept_stay(compressor: Compressor, rate: float) -> None:
    """A sentence's negation is there whenever what it denies is."""
    for verb in ("enter", "reopen"):
        text = RULES.replace("enter", verb)
        kept = compressor.compress(text, rate=rate).text
        assert len(kept) < len(text)
        assert verb in kept
        assert f"not {verb}" in kept


def test_no_word_goes_because_it_is_on_a_list(compressor: Compressor) -> None:
    kept = compressor.compress(RULES, rate=0.7).text.split()
    assert {"or", "should", "may", "must"} <= set(kept)


@pytest.mark.parametrize("rate", [0.7, 0.3])
def test_fenced_code_keeps_its_comments_and_spaces(compressor: Compressor, rate: float) -> None:
    text = f"{TALK * 3}\n\n{CODE}\n\n{TALK * 3}"
    kept = compressor.compress(text, rate=rate).text
    assert CODE in kept
    assert len(kept) < len(text)
