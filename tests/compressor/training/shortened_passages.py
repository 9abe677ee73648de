"""A few labelled passages, for tests of what is done with them."""

from typing import Any

BUDGET: dict[str, Any] = {
    "id": "m1",
    "source": "meetings",
    "doc": "council-1",
    "lang": "en",
    "licence": "CC0",
    "text": "The council did not approve the budget of 1,250 dollars, because nobody had read it.",
    "light": "council did not approve budget of 1,250 dollars, nobody had read it.",
    "heavy": "council not approve budget 1,250 dollars",
}
RIVER: dict[str, Any] = {
    "id": "g1",
    "source": "geography",
    "doc": "river-1",
    "lang": "en",
    "licence": "CC0",
    "text": "The river rises in the mountains in the north and flows through two countries.",
    "light": "river rises in mountains in north, flows through two countries",
    "heavy": "river rises mountains flows two countries",
}
# a teacher that wrote what it liked
PARAPHRASED: dict[str, Any] = {
    "id": "p1",
    "source": "issues",
    "doc": "issue-1",
    "lang": "en",
    "licence": "",
    "text": "Whenever the server restarts, every open connection is dropped without a message.",
    "light": "Restarting kills all live sessions silently, server drops them",
    "heavy": "Silent session loss on restart",
}
ALL = (BUDGET, RIVER, PARAPHRASED)
