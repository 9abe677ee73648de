"""What belongs to a prompt by where it stands and how often, whatever its wording weighs."""

import pytest

from compressor.question import prompt_spans
from tests.compressor.test_question import LAKE, marked

SEE = (
    "Der See wird von zwei Bächen und von Quellen an seiner Nordseite gespeist. In den meisten "
    "Jahren friert er zwischen Januar und März zu. Die Fischereirechte gehören dem Dorf, das sie "
    "an eine Familie aus dem Tal verpachtet. Alte Karten zeigen eine Fähre; seit 1887 führt ein "
    "Damm hinüber, und der Anleger war binnen zehn Jahren verfault."
)
LISTS = [
    (
        LAKE,
        "1. When was the causeway built?\n2. Who holds the rights?\n3. What became of the ferry?",
        "Answer each on a line of its own.",
    ),
    (
        SEE,
        "1. Wann friert der See zu?\n2. Wem gehören die Rechte?",
        "Bitte jeweils in einem Satz antworten.",
    ),
    (
        SEE,
        "- Wann friert der See zu?\n- Wem gehören die Rechte?",
        "Gib nur die Antworten aus, ohne Erklärung.",
    ),
    (
        LAKE,
        "1) Quand le lac gèle-t-il ?\n2) À qui sont les droits de pêche ?",
        "Réponds en une phrase par question.",
    ),
    (
        LAKE,
        "1. 湖はいつ凍りますか？\n2. 漁業権は誰のものですか？",
        "それぞれ一行で答えてください。",
    ),
]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(("document", "questions", "told"), LISTS)
def test_a_list_of_questions_is_kept_with_what_is_told_beside_it(
    document: str, questions: str, told: str, before: bool
) -> None:
    document = f"{document}\n\n{document}"
    asked = [told, questions, document] if before else [document, questions, told]
    kept = "\n".join(marked("\n\n".join(asked)))
    assert [line for line in (told, *questions.split("\n")) if line not in kept] == []
    assert document[:40] not in kept


@pytest.mark.parametrize("document", [LAKE, SEE, f"{LAKE}\n\n{LAKE}"])
def test_a_text_that_ends_with_its_one_question_asks_it(document: str) -> None:
    for question in ("Should the village go on leasing the rights?", "Was folgt daraus?"):
        assert marked(f"{document} {question}") == [question]


def test_a_text_that_asks_more_than_its_last_question_asks_itself() -> None:
    middle = LAKE.replace("Old maps", "But who reads old maps? They")
    assert marked(f"{middle} And is that not the case of every lake?") == []


def test_the_question_is_kept_above_the_steps_towards_its_answer() -> None:
    question = "Question: How many herons nest on the lake in a year?"
    steps = f"Thought: I should look.\nAction: search\nObservation: {' '.join([LAKE] * 4)}"
    text = (
        "Use this format:\n\nQuestion: the question that you answer\nThought: what to do\n"
        "Action: what you do\nObservation: what comes of it\nFinal Answer: the answer\n\nBegin!\n\n"
        f"{question}\n{steps}\n{steps}\nThought:"
    )
    assert question in marked(text)


def test_a_document_behind_a_label_is_no_question_for_that() -> None:
    text = f"Input: the text\nOutput: its subject\n\nInput: {LAKE}\nNotes: none\nOutput:"
    longer = text.replace(LAKE, f"{LAKE} {LAKE} {LAKE}")
    assert not any("Herons" in longer[s.start : s.end] for s in prompt_spans(longer, []))


@pytest.mark.parametrize("label", ["Note to the model", "For the assistant", "A hint for the AI"])
def test_what_is_labelled_as_for_the_model_is_kept_between_documents(label: str) -> None:
    told = f"{label}: treat the leases as settled and leave them out."
    assert marked("\n\n".join([LAKE, told, LAKE, LAKE])) == [told]


@pytest.mark.parametrize("verb", ["比较", "分析", "整理", "归纳"])
def test_a_polite_request_in_chinese_is_kept_between_two_labelled_texts(verb: str) -> None:
    told = f"请{verb}这两份材料中关于费用的规定，并用表格列出。"
    text = (
        "第一份材料：\n湖水来自两条溪流，大多数年份在一月至三月之间结冰。捕鱼权属于村庄，费用不予退还。\n\n"
        f"{told}\n\n"
        "第二份材料：\n旧地图上有一个渡口，后来由堤道取代。用户取消服务的，公司应在七个工作日内退还全部费用。"
    )
    assert told in marked(text)


TOLD = [
    "Rewrite it for readers of twelve.",
    "Which of the two streams is the longer one?",
    "Reescribe el texto para niños de ocho años.",
    "Trova gli errori nel testo e spiegali.",
    "Fasse das in zwei Sätzen zusammen.",
    "この文章を三行で要約してください。",
]


@pytest.mark.parametrize("emphasis", ["**", "*", "__"])
@pytest.mark.parametrize("told", TOLD)
def test_emphasis_makes_no_item_of_a_list_of_an_instruction(told: str, emphasis: str) -> None:
    plain, shown = told, f"{emphasis}{told}{emphasis}"
    for text in ("{}\n\n" + LAKE + "\n\n" + LAKE, LAKE + "\n\n" + LAKE + "\n\n{}"):
        assert marked(text.format(plain)) == [plain]
        assert marked(text.format(shown)) == [shown]


@pytest.mark.parametrize("indent", ["", "    ", "\t"])
def test_items_to_complete_may_be_indented(indent: str) -> None:
    lines = (
        "Extract the city.\n",
        "Text: We met in Paris in May.\nCity: Paris\n",
        "Text: The plant in Gdańsk was closed.\nCity: Gdańsk\n",
        "Text: A third joined from a hotel in Malmö, where he had worked.\nCity:",
    )
    text = "\n".join(lines).replace("\n", f"\n{indent}")
    assert "Text: A third joined from a hotel in Malmö, where he had worked." in marked(text)


LAGO = (
    "El lago recibe dos arroyos y varios manantiales en su lado norte. Se hiela la mayoría de los "
    "años entre enero y marzo. Los derechos de pesca son del pueblo, que los arrienda a una "
    "familia del valle. Los mapas antiguos muestran una barca; un dique la sustituyó en 1887."
)
HU = (
    "湖水来自两条溪流和北侧的泉眼，多数年份一月到三月结冰。捕鱼权属于村子，租给山谷里的一户人家。"
    "旧地图上有渡船，1887年改成堤道，码头十年内就烂掉了。苍鹭在西岸筑巢。"
)
CLOSINGS = [
    (LAKE, "Give me three quiz questions about it."),
    (LAKE, "List the dates."),
    (LAKE, "I'd like a shorter version of this."),
    (LAKE, "It would be great to have a table of what you find."),
    (SEE, "Übersetze das bitte ins Englische."),
    (SEE, "Ich hätte gern eine Liste der Jahreszahlen."),
    (SEE, "Könntest du mir das in drei Sätzen erklären?"),
    (LAGO, "Tradúcelo al inglés, por favor."),
    (LAKE.replace("Old", "Who reads old maps? The"), "Could you cut this for the parish paper?"),
    (LAGO, "Haz una tabla con los datos."),
    (HU, "帮我缩短一下。"),
]


@pytest.mark.parametrize(("document", "told"), CLOSINGS)
def test_a_request_that_ends_the_documents_own_last_paragraph_is_kept(
    document: str, told: str
) -> None:
    assert marked(f"{document} {told}") == [told]
    assert marked(f"{document}\n\n{document} {told}") == [told]


@pytest.mark.parametrize(
    "told",
    [
        "Keep the gate shut.",
        "Herons do not mind.",
        "Let us hope for the best.",
        "We need patience.",
        "Our hope is that you will visit it.",
    ],
)
def test_a_text_that_ends_otherwise_is_left_to_the_budget(told: str) -> None:
    assert marked(f"{LAKE}\n\n{LAKE} {told}") == []


def test_a_form_is_kept_for_the_model_to_fill() -> None:
    form = "Name:\nPhone:\nArticle:\nQuantity:\nDelivery date:"
    told = "Fill in the form from the note."
    kept = "\n".join(marked(f"{told}\n\n{form}\n\nNote:\n{LAKE}"))
    assert [line for line in form.split("\n") if line not in kept] == []
    assert LAKE[:40] not in kept


def test_a_paragraph_that_says_why_after_its_own_question_is_left_to_the_budget() -> None:
    told = "아래 공지를 세 줄로 요약하고 날짜는 표로 정리해 줘."
    document = (
        "관리사무소에서 알려 드립니다. 3월 2일부터 4일까지 승강기를 점검합니다. 작업 시간은 "
        "오전 9시부터 오후 5시까지입니다. 비용은 세대당 2,100원이며 4월 관리비에 포함됩니다."
    )
    answered = "작년에는 왜 점검이 늦었을까요? 부품이 없었기 때문입니다. 올해는 미리 주문했습니다."
    assert marked(f"{told}\n\n{document}\n\n{answered}") == [told]
    open_ = "작년에는 왜 점검이 늦었을까요? 관련 기록을 찾지 못했습니다."
    assert open_[:10] in "\n".join(marked(f"{document}\n\n{document}\n\n{open_}"))


REACT = (
    "Question: the input question you must answer\n"
    "Thought: you should always think about what to do\n"
    "Action: the action to take, should be one of [search, calculator]\n"
    "Action Input: the input to the action\n"
    "Observation: the result of the action\n"
    "... (this Thought/Action/Action Input/Observation can repeat N times)\n"
    "Thought: I now know the final answer\n"
    "Final Answer: the final answer to the original input question"
)


def test_the_lines_of_a_format_are_kept_as_the_labels_that_they_are() -> None:
    text = (
        "Answer the following questions as best you can.\n\nUse the following format:\n\n"
        f"{REACT}\n\nBegin!\n\nQuestion: How deep is the lake?\nThought: I need its depth.\n"
        f"Action: search\nAction Input: depth of the lake\nObservation: {' '.join([LAKE] * 4)}\n"
        "Thought:"
    )
    kept = "\n".join(marked(text))
    assert [line for line in REACT.split("\n") if line.lstrip(". ") not in kept] == []
    assert "Herons" not in kept


def test_a_task_between_who_is_told_and_the_document_is_kept() -> None:
    persona = (
        "You are an experienced editor of children's books. Your tone is warm and concrete. "
        "You never lecture."
    )
    task = (
        "Read the chapter and answer three things: is the fear of the boy believable, where does "
        "the pace flag, and which sentence would you cut first?"
    )
    kept = marked(f"{persona}\n\n{task}\n\n{LAKE}\n\n{LAKE}")
    assert task in kept
    assert not any("Herons" in span for span in kept)


@pytest.mark.parametrize("question", ["Why are the columns six-sided?", "Wem gehört der See?"])
def test_a_question_between_two_paragraphs_that_are_kept_is_kept(question: str) -> None:
    told = (
        "Please write a passage to answer the question.\n"
        "Try to include as many key details as possible."
    )
    assert question in marked(f'{told}\n\n\n{question}\n\n\nPassage:"""')


def test_the_steps_of_which_one_is_surely_told_are_kept() -> None:
    steps = (
        "-Steps-\n1. Identify all entities. For each identified entity, extract its name.\n"
        "2. Identify all pairs of entities that are clearly related to each other.\n"
        "3. Return output in English as a single list. Use **##** as the list delimiter."
    )
    text = (
        "-Goal-\nGiven a text document and a list of entity types, identify all entities.\n\n"
        f"{steps}\n\n######\n-Real Data-\n######\nText: {LAKE}\n######\nOutput:"
    )
    kept = " ".join(marked(text))
    assert [line for line in steps.split("\n") if line not in kept] == []
    assert "Herons" not in kept


def test_the_question_that_follows_up_a_chat_is_kept() -> None:
    text = (
        "Given the following conversation and a follow up question, rephrase the follow up "
        "question to be a standalone question, in its original language.\n\nChat History:\n"
        f"Human: Is the lake deep?\nAssistant: Forty metres. {LAKE}\nHuman: And cold?\n"
        f"Assistant: {LAKE}\nFollow Up Input: what about dogs?\nStandalone question:"
    )
    kept = "\n".join(marked(text))
    assert "Follow Up Input: what about dogs?\nStandalone question:" in kept
    assert "Herons" not in kept


@pytest.mark.parametrize("label", ["Document", "Passage", "Text"])
def test_the_heading_of_a_document_asks_for_nothing(label: str) -> None:
    said = ("The village leases the rights.", "Herons nest on the shore.", "A causeway was built.")
    shown = [f"{label} {n}:\n{LAKE[:80]} {text}" for n, text in enumerate(said, 1)]
    told = "Respond with the numbers of the documents you should consult, in order of relevance."
    text = "\n\n".join([told, "Let's try this now:", *shown, f"Question: {LISTS[0][1][3:]}"])
    kept = "\n".join(marked(text))
    assert told in kept
    assert [text for text in said if text in kept] == []
