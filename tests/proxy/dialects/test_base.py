from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText


def reading(*texts: tuple[Role, tuple[str | int, ...], str]) -> BodyReading:
    return BodyReading(
        "m",
        stream=False,
        texts=tuple(BodyText(role, path, text, 0, 0) for role, path, text in texts),
    )


def test_the_last_user_message_is_all_the_user_texts_of_one_message() -> None:
    last = reading(
        (Role.USER, ("messages", 0, "content"), "earlier"),
        (Role.ASSISTANT, ("messages", 1, "content"), "said"),
        (Role.USER, ("messages", 2, "content", 0, "text"), "a document"),
        (Role.USER, ("messages", 2, "content", 2, "text"), "a question"),
        (Role.TOOL, ("messages", 3, "content"), "a result"),
        (Role.ASSISTANT, ("messages", 4, "content"), "said again"),
    )
    assert last.last_user_texts() == ["a document", "a question"]


def test_results_in_a_users_message_are_not_the_users() -> None:
    last = reading(
        (Role.USER, ("messages", 0, "content"), "a question"),
        (Role.TOOL, ("messages", 2, "content", 0, "content"), "a result"),
    )
    assert last.last_user_texts() == ["a question"]


def test_an_input_that_is_one_string() -> None:
    assert reading((Role.USER, ("input",), "all of it")).last_user_texts() == ["all of it"]


def test_without_a_user_there_is_none() -> None:
    assert reading((Role.SYSTEM, ("messages", 0, "content"), "x")).last_user_texts() == []
