"""The wording of instructions in Dutch, Polish, Turkish, Vietnamese and in other scripts."""

import pytest

from compressor.case_folding import fold_case
from compressor.prompt_languages import MOOD, VERB, told
from compressor.prompt_mood import voice_of
from compressor.question import prompt_spans
from compressor.types import Kind


@pytest.mark.parametrize(
    "sentence",
    [
        "Beantwoord de vraag met alleen de onderstaande informatie.",
        "kun je hier een kort berichtje van maken",
        "zrob mi z tego krotkie streszczenie",
        "Czy mogłabyś mi podpowiedzieć, jakie dokumenty dołączyć?",
        "Ответь на вопрос, используя только текст.",
        "Нужно исправить ошибки в тексте.",
        "Metni iki cümlede özetle",
        "kısa bi dilekçe yazar mısın",
        "Her yorum için duyguyu yaz: olumlu, olumsuz veya karışık.",
        "أجب عن السؤال التالي بالاعتماد على النص فقط.",
        "इसका सारांश तीन बिंदुओं में लिखो",
        "위 글을 한 문장으로 요약해줘",
        "hãy trả lời câu hỏi",
        "tóm tắt đoạn trên giúp mình",
        "Tính chi phí trung bình của từng nơi rồi xếp từ thấp đến cao.",
        "Lập bảng so sánh ba đề án.",
    ],
)
def test_an_imperative_is_told_by_its_own_language(sentence: str) -> None:
    assert told(fold_case(sentence)) == VERB


@pytest.mark.parametrize(
    "sentence",
    ["Soğanları ince doğrayın.", "감자를 깨끗이 씻어 껍질을 벗기세요.", "Закройте дверь."],
)
def test_the_imperative_of_a_manual_weighs_less(sentence: str) -> None:
    assert told(fold_case(sentence)) == MOOD


@pytest.mark.parametrize(
    "sentence",
    [
        "The lake is fed by two streams.",
        "Zou Li was born in Wuhan.",
        "Le marché a lieu chaque matin.",
        "Das stand für die Brüder ganz allein.",
        "De straat is drie weken dicht.",
        "Urlop wynosi 20 dni.",
        "Скидка составляет 65 процентов.",
        "تفتح المكتبة أبوابها من الساعة الثامنة.",
        "पुस्तकालय सुबह नौ बजे खुलता है।",
        "매출은 8퍼센트 늘었다.",
        "Công ty vừa công bố kế hoạch.",
        "Tính đến tháng 6, phường đã chi một nửa.",
        "Kể từ năm 2019 thư viện mở cửa đến 20 giờ.",
        "",
    ],
)
def test_a_statement_is_no_imperative(sentence: str) -> None:
    assert told(fold_case(sentence)) == 0


def test_who_speaks_to_whom_is_told_in_other_scripts() -> None:
    assert voice_of("я не знаю, можете ли вы").first
    assert voice_of("можете ли вы помочь").second
    assert voice_of("краткое резюме").output
    assert not any(voice_of("скидка составляет 65 процентов."))


def test_a_question_ends_with_its_own_script_s_mark() -> None:
    text = "هل تعرف سر النكهة؟ إنه قليل من الهيل."
    spans = prompt_spans(f"{text}\n\nالسؤال: كم كتابا يمكن للطالب أن يستعير؟", [])
    assert spans[-1].kind is Kind.QUESTION
