"""The wording of questions and wishes."""

import pytest

from compressor.case_folding import fold_case
from compressor.prompt_cues import INTERROGATIVE, OUTRIGHT


@pytest.mark.parametrize(
    "question",
    [
        "Wem gehören die Fischereirechte",
        "Wann wurde der Damm gebaut",
        "Seit wann gibt es den Damm",
        "Mit wem wurde der Vertrag geschlossen",
        "Wie viele Bäche speisen den See",
        "Welche Vögel nisten dort",
        "was passiert bei Verspätung",
        "und wer pachtet sie",
        "Gibt es noch eine Fähre",
        "Kann man dort angeln",
        "Muss ich den Wasserhahn selbst bezahlen",
        "Peut-on y pêcher",
        "Faut-il un permis",
        "Existe-t-il encore un bac",
        "de quién son los derechos",
        "di chi sono i diritti di pesca",
        "desde quando não há barca",
        "我的车停在B区，白天怎么办",
        "更换费用是多少",
    ],
)
def test_a_question_is_told_without_its_mark(question: str) -> None:
    assert INTERROGATIVE.match(fold_case(question))


@pytest.mark.parametrize(
    "statement",
    [
        "Wie besprochen die Liste der Gäste",
        "Wie im Vorjahr ohne Gewinn",
        "Wer das liest, hat verloren",
        "Was replaced by a dam",
        "War and peace in the valley",
        "Ist-Stand der Planung",
        "Hat der Verbraucher seine Erklärung",  # a line of a law goes on in the next
        "Hat jemand die Fähre gesehen, so melde er sich",
        "Peut-être en mars",
        "Di chi fu amico si sa poco.",
        "Desde quando era criança, nadava.",
    ],
)
def test_a_statement_is_no_question(statement: str) -> None:
    assert not INTERROGATIVE.match(fold_case(statement))


@pytest.mark.parametrize(
    "wish",
    [
        "What I'd need from you is a reply to her about the length of a postcard.",
        "What I'm after is a shorter version for the parish paper.",
        "It would help me a lot to have the dates in a list.",
        "It'd be great to have a version without the jargon.",
        "I would really appreciate a shorter version.",
        "I'd be grateful for a list of the dates.",
        "Was ich von dir brauche, ist eine kürzere Fassung.",
        "Ce qu'il me faudrait, c'est une version plus courte.",
        "Lo que necesito es una lista de las fechas.",
        "Quello che mi serve è un elenco delle date.",
    ],
)
def test_a_wish_for_a_text_is_told_outright(wish: str) -> None:
    assert OUTRIGHT.search(fold_case(wish))


@pytest.mark.parametrize(
    "statement",
    [
        "It would be great to see you in May.",
        "I would really appreciate your patience.",
        "What I needed was a boat.",
        "I'd be grateful for a lift to the station.",
    ],
)
def test_a_wish_for_something_else_is_not(statement: str) -> None:
    assert not OUTRIGHT.search(fold_case(statement))
