from policies.types import Role
from proxy.dialects.base import BodyReading, BodyText
from proxy.request_question import questions

PROSE = "They walked along the quay and counted the boats. " * 30


def reading(
    *texts: tuple[Role, tuple[str | int, ...], str], independent: bool = False
) -> BodyReading:
    found = tuple(BodyText(role, path, text, 0, 0) for role, path, text in texts)
    return BodyReading("m", stream=False, texts=found, independent=independent)


async def test_the_last_user_message_asks_for_all_texts_but_the_tools() -> None:
    found = await questions(
        reading(
            (Role.TOOL_SCHEMA, ("tools", 0, "description"), PROSE),
            (Role.SYSTEM, ("messages", 0, "content"), PROSE),
            (Role.USER, ("messages", 1, "content", 0, "text"), PROSE),
            (Role.USER, ("messages", 1, "content", 1, "text"), "Who walked?"),
        )
    )
    assert found == [None, "Who walked?", "Who walked?", "Who walked?"]


async def test_prompts_of_their_own_ask_for_themselves() -> None:
    found = await questions(
        reading(
            (Role.USER, ("prompt", 0), f"{PROSE}\n\nWho walked?"),
            (Role.USER, ("prompt", 1), PROSE),
            (Role.USER, ("prompt", 2), f"{PROSE}{PROSE}\n\nWhat did they count?"),
            independent=True,
        )
    )
    assert found == ["Who walked?", None, "What did they count?"]


async def test_nobody_asks() -> None:
    assert await questions(reading((Role.SYSTEM, ("messages", 0, "content"), PROSE))) == [None]
