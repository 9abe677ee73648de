"""Headings, lists, speakers, quotes and spacing come out well-formed, by a checker of its own."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressor.bonds import bind
from compressor.evaluation.corpus.structure_faults import faults
from compressor.extract import extract
from compressor.orphans import without_orphans
from compressor.structure import read_structure
from compressor.tokens import load_counter
from compressor.types import ALL_KINDS, Kind, ProtectedSpan, Settings, Span
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
RATES = (0.75, 0.5, 0.33, 0.2)

VOCABULARY = """
    the committee approved budget for northern harbour after long debate about costs and schedules
    while engineers wanted further measurements near both lighthouses
"""
WORDS = st.sampled_from(VOCABULARY.split())
TIED = st.sampled_from(["35 %", "`:=`", "« un alias »", "`sint64`"])
CLAUSE = st.tuples(st.lists(WORDS, min_size=2, max_size=9), st.none() | TIED).map(
    lambda parts: " ".join((*parts[0], parts[1] or "here"))
)
SENTENCE = st.tuples(
    st.lists(CLAUSE, min_size=1, max_size=3), st.sampled_from([".", "?", "!"])
).map(lambda parts: (", ".join(parts[0]) + parts[1]).capitalize())
PROSE = st.lists(SENTENCE, min_size=1, max_size=5)
WRAPPED = PROSE.map(lambda sentences: "\n".join(_wrap(" ".join(sentences))))
HEADING = st.tuples(st.integers(1, 4), CLAUSE).map(lambda p: "#" * p[0] + " " + p[1].capitalize())
BULLETS = st.tuples(st.sampled_from(["-", "*", "•", "- [ ]"]), PROSE).map(
    lambda p: "\n".join(f"{p[0]} {s}" for s in p[1])
)
NUMBERED = PROSE.map(lambda items: "\n".join(f"{i}. {s}" for i, s in enumerate(items, 1)))
TURNS = st.lists(
    st.tuples(st.sampled_from(["Ana", "Bo Lind", "Project Manager"]), SENTENCE),
    min_size=1,
    max_size=5,
).map(lambda turns: "\n".join(f"{name}: {said}" for name, said in turns))
QUOTED = PROSE.map(lambda sentences: "\n".join(f"> {s}" for s in sentences))
ASIDE = st.tuples(CLAUSE, CLAUSE, CLAUSE).map(lambda p: f"{p[0].capitalize()} ({p[1]}) {p[2]}.")
DOCUMENT = st.lists(
    st.one_of(WRAPPED, HEADING, BULLETS, NUMBERED, TURNS, QUOTED, ASIDE), min_size=2, max_size=8
).map("\n\n".join)


def _wrap(text: str) -> list[str]:
    words, lines = text.split(" "), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 60:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def kept_slices(text: str, rate: float, seed: int) -> tuple[Span, ...]:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words)).astype(np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER).kept


@settings(deadline=None, max_examples=150)
@given(DOCUMENT, st.sampled_from(RATES), st.integers(0, 1000))
def test_made_up_documents_keep_their_shape(text: str, rate: float, seed: int) -> None:
    assert not faults(text, kept_slices(text, rate, seed))


REAL = """# Release notes

The 2.4 release brings a faster scheduler, which was
rewritten over the summer, and drops support for old
kernels. Nobody asked for them any more.

## What changed

- The scheduler takes work from every queue in turn, so that
  short jobs never wait behind long ones.
- Logs are written once (they used to be written twice).
1. Stop the service, wait until it has drained, and start it again.
2. Check the dashboard; it should be green within a minute.

Ana: Did anyone test the upgrade on the old cluster?
Bo Lind: Yes, twice, and it did not lose a single job.

> We had to roll back in March, because nobody had read the notes.

**Note**: keep a copy of the old configuration (just in case).
"""


@pytest.mark.parametrize("rate", RATES)
def test_a_document_of_every_kind_of_line_keeps_its_shape(rate: float) -> None:
    for seed in range(40):
        assert not faults(REAL, kept_slices(REAL, rate, seed))


PROTECTED = """The throughput rose by 35 %, as soon as the second queue was there.

We rewrote the loops not to use `:=`, and then changed the semantics globally. It is called an
« alias de type », which is in fact not specific to the framework.

- The population is encoded as absolute numbers in the case of floats. The latter leads to smaller
  numbers, which encode to `sint64` in a smaller message.
- The rest is as it was before.
"""


def test_no_sentence_ends_behind_a_comma_that_is_protected() -> None:
    text = (
        "Here, while the costs of the northern harbour go on and on,\nengineers who were near the "
        "lighthouses at the time\nmeasured the harbour!"
    )
    words = split_words(text)
    structure = read_structure(text, words)
    protected = [ProtectedSpan(0, text.index("\n"), Kind.INSTRUCTION)]
    atoms = bind(structure, np.zeros(len(words)), protected)
    kept = np.array([w.start < text.index("\n") or text[w.start] == "!" for w in words])
    left = without_orphans(structure, atoms, kept)
    assert text[words[int(np.flatnonzero(left)[-1])].start] == ","
    assert int((kept & ~left).sum()) == 1


@pytest.mark.parametrize("rate", RATES)
def test_marks_beside_what_is_protected_go_with_the_words_around_them(rate: float) -> None:
    for seed in range(200):
        kept = kept_slices(PROTECTED, rate, seed)
        assert not faults(PROTECTED, kept), "".join(PROTECTED[s.start : s.end] for s in kept)


GERMAN = (
    "»Das ist ja eine schöne Bescherung«, dachte er, »und wer soll das alles bezahlen?« Er ging "
    "langsam über die Brücke und sah ins Wasser. »Wer ›nein‹ sagt«, hatte der Vater einmal gesagt, "
    "»muss auch ‚ja‘ sagen können.«"
)


@pytest.mark.parametrize("rate", RATES)
def test_german_quotes_that_come_to_stand_side_by_side_do_not_meet(rate: float) -> None:
    for seed in range(40):
        result = "".join(GERMAN[s.start : s.end] for s in kept_slices(GERMAN, rate, seed))
        assert "«»" not in result
        assert result.count("»") == result.count("«")


def test_quotes_are_paired_whichever_way_they_point() -> None:
    for text in ("er »ruft« laut", "il « crie » fort", "«Sí», dijo", "er ›ruft‹", "‚so‘ da"):
        words = split_words(text)
        partner = read_structure(text, words).partner
        assert sorted(partner[partner >= 0].tolist()) == [
            i for i, word in enumerate(words) if text[word.start] in "«»‹›‚‘"
        ], text


def test_items_keep_their_markers_and_turns_their_speakers() -> None:
    for seed in range(20):
        kept = kept_slices(REAL, 0.5, seed)
        result = "".join(REAL[s.start : s.end] for s in kept)
        for line in result.splitlines():
            if "lose a single job" in line:
                assert line.startswith("Bo Lind:")
            if "drained" in line:
                assert line.startswith("1. ")


@pytest.mark.parametrize(
    ("text", "dropped", "fault"),
    [
        ("One two, three.", "two", "space before a mark"),
        ("- one two\n- three", "one two", "bullet without its line"),
        ("Ana: one two", "Ana:", "line without its speaker"),
        ("one two\nthree four", "two\nthree", "lost line break"),
        ("one two three", " two ", "glued words"),
        ("a (b) c", "b", "empty pair"),
    ],
)
def test_the_checker_sees_faults(text: str, dropped: str, fault: str) -> None:
    at = text.index(dropped)
    kept = [Span(0, at), Span(at + len(dropped), len(text))]
    assert fault in faults(text, [s for s in kept if s.end > s.start])


def test_an_item_that_is_a_speaker_alone_keeps_its_bullet() -> None:
    text = (
        "Ana\n - Done: \n   - merged the first of the long branches, and the other one after it\n"
    )
    words = split_words(text)
    structure = read_structure(text, words)
    labels = [
        text[w.start : w.end] for w, is_one in zip(words, structure.label, strict=True) if is_one
    ]
    assert labels == ["-", "-"]


LINKED = [
    "Größere [Größere Anwendungen](../tutorial/bigger-applications.md) und "
    "[Testen](../tutorial/testing.md) sind Seiten.",
    "They opened [http://127.0.0.1:8000/docs](http://127.0.0.1:8000/docs) in the browser there.",
    "Many people like [PyCharm](https://www.jetbrains.com/pycharm/) for this, it seems to us all.",
    "There was a ![diagram of it all](img/a.png) and [a guide](https://example.org/a_(b)) as well.",
]


def cuts(text: str) -> set[str]:
    plain = ALL_KINDS - {Kind.INSTRUCTION, Kind.QUESTION}
    words = split_words(text)
    found = set()
    for seed in range(20):
        noise = np.random.default_rng(seed).random(len(words)).astype(np.float32)
        for rate in (0.8, 0.6, 0.45, 0.3, 0.1):
            found.add(extract(text, words, noise, Settings(rate=rate, protect=plain), COUNTER).text)
    return found


@pytest.mark.parametrize("text", LINKED)
def test_a_link_is_whole_or_a_target_that_stands_apart(text: str) -> None:
    targets = re.findall(r"(?<=\]\()\S+?(?=\) |\), )", text)
    assert targets
    for cut in cuts(text):
        links = re.findall(r"!?\[[^][]+\]\(\S+?\)(?= |,|\.?$)", cut)
        rest = cut
        for link in links:
            rest = rest.replace(link, " ")
        assert not set("[]!") & set(rest), cut
        for target in targets:
            at = cut.find(target, cut.find("](" + target) + 1)
            assert at >= 0, cut
            assert at == 0 or cut[at - 1] in " (", cut


@pytest.mark.parametrize(
    "text",
    [
        "It gives `None` instead of **raising** errors, and is *not so* good **for all** of us.",
        "Das Skript benennt **alle lang präfixierten** Dateien und *sehr schnell* auch Ordner.",
        "The parts (**bold ones here**) and the *other ones* were read by ~~all of~~ us.",
        "这里的茶园**产量很高而且稳定**，村民们**修建**了新的道路，运输也方便了。",
        "One of them said &quot;many words here&quot; and &lt;a tag here&gt; to us.",
    ],
)
def test_marks_of_emphasis_stay_as_pairs_around_words(text: str) -> None:
    for cut in cuts(text):
        for run in (r"\*+", "~~", "&quot;", "&[lg]t;"):
            marks = list(re.finditer(run, cut))
            assert len(marks) % 2 == 0, cut
            for opens, closes in zip(marks[::2], marks[1::2], strict=True):
                inside = cut[opens.end() : closes.start()]
                assert inside, cut
                assert inside == inside.strip(), cut


def test_an_entity_is_one_mark() -> None:
    text = (
        "Salt &amp; pepper were AT&amp;T's, &nbsp; R&D; and caf&eacute;s of &#x27;all&#39; kinds."
    )
    for cut in cuts(text):
        assert not re.search(r"(?<![&#])\b(?:amp|nbsp|eacute|x27|39);", cut), cut
        assert not re.search("&(?:amp|nbsp|#x?[0-9]++)(?!;)", cut), cut


def test_what_is_protected_is_not_glued_to_the_word_before() -> None:
    for cut in cuts("The value of it all (-5 °C in there) was read by the old keeper."):
        assert not re.search(r"\w-5", cut), cut


def test_no_full_stop_of_an_abbreviation_stands_behind_an_opening_bracket() -> None:
    text = (
        "Der Preis der Anlage (entspr. 19 Teile aus Holz) ist hoch und liegt (gem. Plan) fest. "
        "Der Hafen ist alt, und die Leute am Ufer kennen ihn seit langer Zeit."
    )
    for seed in range(60):
        kept = "".join(text[s.start : s.end] for s in kept_slices(text, 0.5, seed))
        assert "(." not in kept


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("王小明：2019版的一直能用", "王小明："),
        ("ลูกค้า: สั่งของไป", "ลูกค้า:"),
        ("प्रिया: नहीं मिला", "प्रिया:"),
        ("- समय-सीमा: आवेदन की तिथि", "- समय-सीमा:"),
        ("（2）破産手続開始の申立て", "（2）"),
        ("（二）保密义务", "（二）"),
        ("① 갑은 을이 계약을", "①"),
        ("①系统偶尔卡顿", "①"),
        ("・送料は無料です", "・"),
        ("三、付款方式", "三、"),
        ("2、付款方式", "2、"),
        ("　　①系统偶尔卡顿", "①"),
        ("\ufeff# The harbour", "\ufeff#"),
        ("\ufeffAna: The harbour", "\ufeffAna:"),
    ],
)
def test_labels_behind_other_space_and_of_other_scripts_are_labels(line: str, label: str) -> None:
    words = split_words(line)
    found = read_structure(line, words).label
    kept = [w for w, is_one in zip(words, found, strict=True) if is_one]
    assert kept
    assert line[kept[0].start : kept[-1].end] == label


@pytest.mark.parametrize("text", ["គ្មានគម្រោង។ អត្រាការប្រាក់", "မရှိပါ။ နိုင်ငံ၏"])
def test_khmer_and_burmese_sentences_end(text: str) -> None:
    words = split_words(text)
    sentence = read_structure(text, words).sentence
    assert sentence[0] != sentence[-1]


def test_a_sentence_whose_end_does_not_fit_goes() -> None:
    first, second = "The committee approved it at last.", "Engineers wanted further measurements."
    text = f"{first} {second}"
    words = split_words(text)
    ends = {text.index("."), text.rindex(".")}
    for seed in range(12):
        noise = np.random.default_rng(seed).random(len(words)).astype(np.float32)
        for target in range(3, COUNTER.count(text)):
            kept = extract(text, words, noise, Settings(target_tokens=target), COUNTER).kept
            at = {place for span in kept for place in range(span.start, span.end)}
            whole = [place for place in at if text[place].isalpha()]
            begun = {text.index(".") if place < len(first) else text.rindex(".") for place in whole}
            assert len(begun) < 2 or begun <= at & ends, [text[s.start : s.end] for s in kept]


def test_a_label_stays_with_a_later_sentence_of_its_turn() -> None:
    text = "Ana: Yes. We wanted further measurements.\nBo: Agreed. Engineers wanted lighthouses."
    words = split_words(text)
    scores = [0.1 if text[w.start : w.end] in ("Yes", "Agreed") else 0.9 for w in words]
    kept = extract(text, words, np.array(scores, np.float32), Settings(rate=0.8), COUNTER).kept
    out = "".join(text[span.start : span.end] for span in kept)
    assert out.startswith("Ana: We")
    assert "\nBo: Engineers" in out
