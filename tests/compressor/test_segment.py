import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.segment import Segmenter

UNSPACED = st.text(
    st.sampled_from("富士山高さの气这個雨季カタカナー々๐กขคงสวัสดีລາວမြန်"),
    min_size=1,
    max_size=60,
)


def cut(text: str, start: int = 0, end: int | None = None) -> list[str]:
    ranges = Segmenter(text).cut(start, len(text) if end is None else end)
    return [text[a:b] for a, b in ranges]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("富士山で予算を承認した", ["富士山", "で", "予算", "を", "承認", "し", "た"]),
        ("委员会没有批准预算", ["委员会", "没有", "批准", "预算"]),
        ("委員會沒有批准預算", ["委員會", "沒有", "批准", "預算"]),
        ("วันนี้อากาศดี", ["วัน", "นี้", "อากาศ", "ดี"]),
    ],
)
def test_words_are_whole(text: str, words: list[str]) -> None:
    assert cut(text) == words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("为了提高数据库的性能", ["数据", "性能"]),
        ("这个工具会断开连接", ["工具", "断开", "连接"]),
        ("服务端返回字符串数组", ["返回", "字符", "数组"]),
        ("他是校友会的元老", ["校友", "元老"]),
        ("板块和群岛在室内展出", ["板块", "群岛", "室内"]),
        ("有机化合物可达一只", ["有机", "可达"]),
        ("為了提高資料庫的效能", ["為了", "提高", "資料"]),
        ("這個工具會斷開連接", ["工具", "斷開", "連接"]),
        ("板塊和群島在室內展出", ["板塊", "群島", "室內"]),
    ],
)
def test_known_chinese_words_are_not_cut(text: str, whole: list[str]) -> None:
    cuts = [end for _, end in Segmenter(text).cut(0, len(text))]
    for word in whole:
        start = text.index(word)
        assert not set(range(start + 1, start + len(word))) & set(cuts), word


def test_han_without_kana_goes_by_the_rest_of_the_text() -> None:
    name = "株式会社設立"
    assert cut(name + "\nこれは日本語の文章です", 0, len(name)) == ["株式会社", "設立"]
    assert cut(name + "\n这是一家公司的名字", 0, len(name)) != ["株式会社", "設立"]


def test_a_word_without_end_is_cut_all_the_same() -> None:
    assert max(map(len, cut("あ" * 500))) <= 12
    assert max(map(len, cut("漢" * 500))) <= 12


@given(UNSPACED)
def test_the_pieces_are_the_run(text: str) -> None:
    assert "".join(cut(text)) == text


@given(UNSPACED, UNSPACED)
def test_only_the_asked_stretch_is_cut(before: str, text: str) -> None:
    whole = before + text
    assert "".join(cut(whole, len(before))) == text
