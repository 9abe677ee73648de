"""Texts of over 200 tokens in many scripts and shapes, for property tests of budgets."""

from hypothesis import strategies as st

WORDS = {
    "en": "the committee approved a budget for northern harbours after long debate about costs "
    "while engineers wanted further measurements near both lighthouses and bridges",
    "de": "der Ausschuss billigte nach langer Debatte über Kosten einen Haushalt für nördliche "
    "Häfen während Ingenieure weitere Messungen bei beiden Leuchttürmen wünschten",
    "ru": "комитет одобрил бюджет северных портов после долгих споров о расходах пока инженеры "
    "просили новых измерений около обоих маяков и мостов",
    "ar": "وافقت اللجنة على ميزانية الموانئ الشمالية بعد نقاش طويل حول التكاليف بينما أراد "
    "المهندسون قياسات أخرى قرب المنارات والجسور",
    "ko": "위원회는 비용에 대한 긴 토론 끝에 북부 항구 예산을 승인했고 기술자들은 두 등대 근처에서 "
    "추가 측정을 원했다",
    "hi": "समिति ने लंबी बहस के बाद उत्तरी बंदरगाहों का बजट स्वीकार किया जबकि अभियंता दोनों "
    "प्रकाशस्तंभों के पास और माप चाहते थे",
}
UNSPACED = {
    "ja": [
        "委員会は長い議論の末に",
        "北部の港の予算を承認し",
        "技術者たちは灯台の近くで",
        "さらに測定を行うことを望み",
    ],
    "zh": [
        "委员会在长时间讨论以后",
        "批准了北方港口的预算",
        "工程师希望在两座灯塔附近",
        "进行更多的测量工作",
    ],
    "th": [
        "คณะกรรมการอนุมัติงบประมาณ",
        "สำหรับท่าเรือทางเหนือ",
        "หลังจากการอภิปรายยาวนาน",
        "วิศวกรต้องการวัดเพิ่มเติม",
    ],
}
_ENDS = {"ja": "。", "zh": "。", "th": " "}


def _sentence(lang: str) -> st.SearchStrategy[str]:
    if lang in UNSPACED:
        return st.lists(st.sampled_from(UNSPACED[lang]), min_size=1, max_size=4).map(
            lambda parts: ("、" if lang != "th" else " ").join(parts) + _ENDS[lang]
        )
    end = st.sampled_from([". ", ". ", "! ", ", 🙂 ok. ", " (or so). ", ".\n"])
    words = st.lists(st.sampled_from(WORDS[lang].split()), min_size=4, max_size=16)
    return st.tuples(words, end).map(lambda parts: " ".join(parts[0]).capitalize() + parts[1])


PROSE = st.sampled_from([*WORDS, *UNSPACED]).flatmap(
    lambda lang: st.lists(_sentence(lang), min_size=2, max_size=6).map("".join)
)
SPECIAL = st.sampled_from(
    [
        "No one, she said, had seen the 12 km of cable (or heard of it)! It was not 3 May 2021.",
        "## A heading of some words\n\n- first point about nothing\n- [ ] second point, not done\n"
        "1. numbered item: with a label\n2. another one of 4,250 euros",
        "Alice: I never said that, and it costs 30 %.\nBob Lind: You did, on 3 May, at 10:30.",
        "See https://example.com/a?b=c and /var/log/app.log, v1.2.3, or ask ana@example.com.",
        '{"id": 7, "name": "x", "tags": ["a", "b"]}',
        "```python\nif x:\n    return 1\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
        "He called it “quite impossible” and “mad”, and the rest of them agreed with that.",
        "2024-05-01 10:00:01 INFO worker started job 17\n2024-05-01 10:00:02 INFO worker started "
        "job 18\n2024-05-01 10:00:03 INFO worker started job 19\n2024-05-01 10:00:04 ERROR failed",
        "a_b_c fooBar() --flag=1 550e8400-e29b-41d4-a716-446655440000",
    ]
)
# More prose than anything else, so that there is something to choose from.
LONG_TEXTS = st.lists(
    st.tuples(PROSE, PROSE, PROSE, PROSE, PROSE | SPECIAL), min_size=3, max_size=6
).map(lambda groups: "\n\n".join(part for group in groups for part in group))
