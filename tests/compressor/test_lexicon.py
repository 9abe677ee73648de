from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.lexicon import chinese_lexicon


def words(run: str) -> list[str]:
    ends = chinese_lexicon().breaks(run)
    return [run[begin:end] for begin, end in pairwise([0, *ends])]


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("中国人民银行", ["中国", "人民", "银行"]),
        ("研究生命起源", ["研究", "生命", "起源"]),
        ("的性能和数据", ["的", "性能", "和", "数据"]),
        ("國際經濟發展", ["國際", "經濟", "發展"]),
        ("鬣鬣", ["鬣", "鬣"]),
    ],
)
def test_fewest_known_words_cover_a_run(run: str, found: list[str]) -> None:
    assert words(run) == found


@given(st.text(st.sampled_from("中国人民银行的國際經濟發展数据鬣𠮷"), max_size=40))
def test_words_are_the_run(run: str) -> None:
    assert "".join(words(run)) == run
