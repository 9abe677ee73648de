"""The turn that a chat with an assistant, pasted as one text, leaves to be answered."""

import pytest

from compressor.prompt_chats import open_turn
from tests.compressor.test_question import LAKE, marked

ROLES = [
    ("User", "Assistant"),
    ("Human", "AI"),
    ("USER", "ASSISTANT"),
    ("**User**", "**Assistant**"),
    ("Nutzer", "Assistent"),
    ("Utilisateur", "Assistant"),
    ("Usuario", "Asistente"),
    ("Usuário", "Assistente"),
    ("Пользователь", "Ассистент"),
    ("المستخدم", "المساعد"),
    ("사용자", "어시스턴트"),
    ("用户", "助手"),
    ("ユーザー", "アシスタント"),
    ("Customer", "Chatbot"),
]
ASKED = ["and what about dogs?", "and dogs", "ok, make that a table", "no, the other shore"]


@pytest.mark.parametrize("between", ["\n", "\n\n", " "])
@pytest.mark.parametrize(("user", "assistant"), ROLES)
def test_the_last_turn_of_a_chat_is_kept(user: str, assistant: str, between: str) -> None:
    turns = (
        f"{user}: Is the lake deep?",
        f"{assistant}: About forty metres at the dam",
        f"{user}: Can one swim?",
        f"{assistant}: From June on, at the eastern shore.",
    )
    for asked in ASKED:
        for after in ("", f"{between}{assistant}:"):
            text = between.join([*turns, f"{user}: {asked}"]) + after
            assert asked in "\n".join(marked(text))


def test_earlier_turns_are_left_to_the_budget() -> None:
    text = (
        "User: Is the lake deep?\nAssistant: About forty metres at the dam.\n"
        "User: Who built it?\nAssistant: The village, in 1887.\nUser: and why"
    )
    assert marked(text) == ["User: and why"]


def test_what_a_user_asks_below_a_system_message_is_kept() -> None:
    text = f"System: Use the context. If it says nothing, say so. Context: {LAKE}\nHuman: How cold"
    assert "Human: How cold" in marked(text)
    assert "Herons" not in "\n".join(marked(text))


@pytest.mark.parametrize(
    "text",
    [
        "User: Is it deep?\nAssistant: Forty metres.",
        "Anna: Is it deep?\nBen: Forty metres.\nAnna: And cold?",
        "Assistant: Hello.\nUser:",
        "The user: a person with a card. An assistant: whoever opens the door to the user: nobody.",
        f"User: Is it deep?\nAssistant: Forty metres.\nUser: {LAKE} {LAKE}",
        "",
    ],
)
def test_other_texts_leave_no_turn_open(text: str) -> None:
    assert open_turn(text) is None
