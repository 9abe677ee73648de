"""Finds the turn that a chat with an assistant, pasted as one text, leaves to be answered."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from compressor.prompt_text import word_count

_ASKS = (
    r"user|human|customer|nutzer(?:in)?|benutzer(?:in)?|utilisat(?:eur|rice)|usuari[oa]|usuári[oa]|"
    r"utente|gebruiker|użytkownik|пользователь|kullanıcı|người dùng|المستخدم|उपयोगकर्ता|사용자|"
    r"用户|用戶|ユーザー?"
)
_ANSWERS = (
    r"(?:ai )?assistant|system|ai|bot|chatbot|model|chatgpt|gpt|claude|gemini|copilot|assistent|"
    r"asistente|assistente|asystent|ассистент|помощник|asistan|trợ lý|المساعد|सहायक|어시스턴트|"
    r"도우미|助手|アシスタント"
)
_COLON = re.compile("[:：]")
_ROLE = re.compile(  # in front of a colon
    rf"(?:^|(?<=[\s。！？.!?]))[*_#\[(<|]{{0,3}}(?:({_ASKS})|(?:{_ANSWERS}))[*_\])>|]{{0,3}}"
    r"[ \t]?$",
    re.IGNORECASE,
)
_LONGEST_LABEL = 30  # characters
_LONGEST_TURN = 70  # words; a longer one holds a document
_LONGEST_TURN_CHARACTERS = 1000


class _Role(NamedTuple):
    """Where a label of who speaks stands, its colon included, and whether it is who asks."""

    start: int
    end: int
    asks: bool


def open_turn(text: str) -> int | None:
    """Return where a short last turn of a user starts, below an assistant's; else None.

    The assistant's next label may stand empty below it.
    """
    roles = list(_roles(text))
    if roles and not roles[-1].asks and not text[roles[-1].end :].strip("*_ \t\r\n"):
        roles.pop()
    if not roles or not roles[-1].asks or all(role.asks for role in roles):
        return None
    said = text[roles[-1].end :]
    short = len(said) <= _LONGEST_TURN_CHARACTERS and 0 < word_count(said) <= _LONGEST_TURN
    return roles[-1].start if short else None


def _roles(text: str) -> Iterator[_Role]:
    for colon in _COLON.finditer(text):
        found = _ROLE.search(text, max(0, colon.start() - _LONGEST_LABEL), colon.start())
        if found is not None:
            line = text.rfind("\n", 0, found.start()) + 1
            inline = text[line : found.start()].strip() != ""
            # Within a line a name in small letters is no label: "the user: ...".
            if not (inline and found[0].lstrip("*_#[(<|")[:1].islower()):
                yield _Role(found.start(), colon.end(), found[1] is not None)
