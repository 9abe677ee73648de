"""Marks stay with the words that they are of: between clauses, around remarks, before a line."""

import re
from itertools import pairwise

import numpy as np
import pytest

from compressor.extract import extract
from compressor.tokens import load_counter
from compressor.types import ALL_KINDS, Kind, Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
RATES = (0.75, 0.5, 0.33, 0.2)
SAID = "The reading room is open to all of the people who live in this town, but for the holidays"


def shorten(text: str, rate: float, seed: int) -> str:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).text


@pytest.mark.parametrize(
    ("text", "negation"),
    [
        (
            "患者男性五十岁，否认糖尿病病史，无药物过敏史，未行手术治疗，建议每日服药，两周后复查。",
            "否认|无|未",
        ),
        (
            "来期の予算は前年比で増える予定だが、広告費は増やさない方針で、人件費は足りない見込みです。",
            "ない",
        ),
    ],
)
@pytest.mark.parametrize("rate", RATES)
def test_a_negated_clause_is_parted_from_the_next(text: str, negation: str, rate: float) -> None:
    marks = set("，、；。")
    for seed in range(20):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        kept = extract(text, words, noise, Settings(rate=rate), COUNTER).kept
        for before, after in pairwise(kept):
            clauses = re.split("[，、。]", text[: before.end])[-1], text[after.start :]
            clauses = clauses[0], re.split("[，、。]", clauses[1])[0]
            between = marks & set(text[before.end : after.start])
            if between and any(re.search(negation, clause) for clause in clauses):
                assert marks & {text[before.end - 1], text[after.start]}, (rate, seed)


@pytest.mark.parametrize("rate", RATES)
def test_numbers_of_two_clauses_do_not_meet(rate: float) -> None:
    text = "最高，36.8℃，150次，88%，16岁，120kg，172cm，61次，38.2℃，99%，24kg，180cm。"
    for seed in range(20):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=rate), COUNTER).text
        assert not re.search(r"[℃%a-z]\d", shorter), shorter


def test_a_formula_that_ends_before_a_dropped_comma_keeps_its_distance() -> None:
    text = "For odd numbers we obtain $x_1 + y$, which is then about $z_2$ (above it) everywhere."
    words = split_words(text)
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.6), COUNTER).text
        assert not re.search(r"\$(?:x_1 \+ y|z_2)\$[a-z]", shorter), shorter


@pytest.mark.parametrize("mark", ["== {} ==", "==={}===", "* '''{}''' is a mine"])
@pytest.mark.parametrize("rate", RATES)
def test_the_marks_of_wiki_text_stay_in_pairs(mark: str, rate: float) -> None:
    title = mark.format("Mining of silver ore before the war")
    text = f"It was never profitable.\n\n{title}\nThe adit flooded and nobody could drain it."
    sign = re.search("==+|'''", mark)
    assert sign
    for seed in range(20):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=rate), COUNTER).text
        assert shorter.count(sign.group()) in (0, 2), shorter
        if sign.group() in shorter:
            assert len(re.findall(rf"(?m){sign.group()}[^=\n]+{sign.group()}", shorter)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "次の会議は来週の水曜日（水）朝十時から本社の会議室（三階）で行う予定です。",
        "Take the flour (plain) and the butter (cold) and mix both of them with care in a bowl.",
    ],
)
@pytest.mark.parametrize("rate", RATES)
def test_a_short_remark_keeps_its_brackets(text: str, rate: float) -> None:
    for seed in range(40):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=rate), COUNTER).text
        for inside in ("水）", "三階）", "plain)", "cold)"):
            word = inside[:-1]
            assert (inside in shorter) == (word in shorter.replace("水曜", "")), shorter


def test_an_arrow_stays_with_both_its_sides() -> None:
    text = "They say that copper → bronze → iron was the way which all of the other people went."
    for seed in range(60):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.5), COUNTER).text
        assert not re.search(r"\A→|→ →|→\Z", shorter), shorter


@pytest.mark.parametrize(
    "block",
    [
        "\\begin{equation}\n  E = m c^2 + a_1 + a_2 + a_3\n\\end{equation}",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
        "<ul>\n<li><b>One</b> and two</li>\n<li><b>Three</b></li>\n</ul>",
    ],
)
def test_a_block_begins_its_line_where_the_words_before_it_are_gone(block: str) -> None:
    text = f"The bound: it was sharp by any measure that we have seen in the books\n{block}\n"
    protect = ALL_KINDS - {Kind.INSTRUCTION, Kind.QUESTION}
    for seed in range(20):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        for rate in (0.4, 0.2):
            how = Settings(rate=rate, protect=protect)
            shorter = extract(text, words, noise, how, COUNTER).text
            assert f"\n{block}" in f"\n{shorter}", shorter


def test_marks_between_what_stays_of_one_word_stay() -> None:
    text = "The cache of it was up for two hours at 0.0.0.0:6379->6379/tcp in that old container"
    for seed in range(60):
        assert "0.0.0.0:6379->6379/tcp" in shorten(text, 0.5, seed)


def test_text_comes_up_to_the_tags_around_its_line() -> None:
    text = f"<p>{SAID}, {SAID}.</p>\n<p>{SAID}, {SAID}.</p>"
    for seed in range(10):
        assert not re.search(r"<p>\s|\s</p>", shorten(text, 0.5, seed))


def test_the_end_of_a_list_in_latex_is_no_part_of_its_last_item() -> None:
    text = f"\\begin{{itemize}}\n  \\item {SAID}\n  \\item {SAID}\n\\end{{itemize}}\n{SAID}"
    for seed in range(10):
        assert not re.search(r"\\item\s*\n\s*\\", shorten(text, 0.2, seed))


def test_a_closing_tag_is_no_part_of_the_item_before_it() -> None:
    item = "- All of the messages in it are records and they conform to what the old rules say"
    text = f"{item}\nof messages and records in the office.\n</details>\n\nThe barriers are many.\n"
    protect = ALL_KINDS - {Kind.INSTRUCTION, Kind.QUESTION}
    for seed in range(20):
        words = split_words(text)
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        noise[: len(split_words(item)) + 7] *= 0.1
        shorter = extract(text, words, noise, Settings(rate=0.3, protect=protect), COUNTER).text
        assert not re.search(r"(?m)^- *$|- </", shorter), shorter


def test_no_full_stop_stands_behind_that_of_an_abbreviation() -> None:
    text = "They ship it to us before 5 Jan. Later on all of the parcels were not accepted there."
    words = split_words(text)
    for seed in range(60):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.5), COUNTER).text
        assert ".." not in shorter


def test_an_address_comes_up_behind_the_bullet_of_its_item() -> None:
    text = (
        "* `How to dry fruit in a small oven (recipe from last year)\n"
        "  <http://shop.example/recipes/498072/>`_ by Kofi Osei.\n"
        "  Much like the one above it, and written for those who begin.\n"
    )
    words = split_words(text)
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.4), COUNTER).text
        assert not re.search(r"(?m)^\* *$", shorter), shorter


def test_a_line_ends_where_the_word_that_was_broken_there_is_gone() -> None:
    text = (
        "The old town hall and its exten-\n  sively mended clock tower stand open to all guests.\n"
    )
    words = split_words(text)
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.6), COUNTER).text
        first, *rest = shorter.rstrip("\n").split("\n")
        assert set(first.split()) <= set(text.split("\n", maxsplit=1)[0].split()), shorter
        assert all(line.startswith("  ") for line in rest), shorter


@pytest.mark.parametrize(
    "line", [".. _the rules:", ".. note::", ".. code-block:: python", ".. |logo| image:: a.png"]
)
def test_what_two_dots_begin_in_restructuredtext_is_no_item(line: str) -> None:
    text = f"Here is what we agreed on last week.\n\n{line}\n    It is short and to the point.\n"
    words = split_words(text)
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.5), COUNTER).text
        assert not re.search(r"(?m)^\.\. (?:It|is|short|and|to|the|point)\b", shorter), shorter


def test_emphasis_opens_behind_a_comma_of_japanese() -> None:
    text = "新しい設計では、**Kino**が引数を受け取り、**Hug**の考え方を取り入れることにしました。"
    words = split_words(text)
    for seed in range(40):
        noise = np.random.default_rng(seed).random(len(words), np.float32)
        shorter = extract(text, words, noise, Settings(rate=0.5), COUNTER).text
        assert shorter.count("**") % 2 == 0, shorter
