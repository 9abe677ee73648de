"""The wording of instructions in languages beside those whose patterns are in `prompt_cues`.

Such are Russian, Arabic, Hindi and Korean, told by the script of a sentence's first letter, and
Dutch, Polish, Turkish and Vietnamese, told by its first word or its last. Looking up these costs
the sentences of other languages next to nothing. All is in lower case and for text that is
(`fold_case`), which makes a Turkish dotless i an i.
"""

import re

VERB = 2  # an imperative that opens a prompt's instruction and seldom a sentence of a document
MOOD = 1  # the shape of an imperative


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RUSSIAN_OPENS = (
    r"(?:пожалуйста,?[ ]|а[ ]теперь,?[ ]|теперь,?[ ]|и[ ]|также[ ]|затем[ ]|кратко[ ]|коротко[ ]|"
    r"подробно[ ])?"
)
_RUSSIAN_VERB = re.compile(
    _RUSSIAN_OPENS
    + r"(?:(?:ответь|отвечай|перечисли|переведи|объясни|поясни|напиши|опиши|составь|сравни|сделай|"
    r"исправь|перепиши|сократи|выдели|найди|назови|извлеки|укажи|приведи|подготовь|проверь|"
    r"проанализируй|предложи|помоги|подскажи|расскажи|скажи|кратко[ ]изложи|изложи|суммируй|"
    r"резюмируй|выведи|верни|оформи|преобразуй|посчитай|рассчитай|определи|классифицируй|оцени|"
    r"перефразируй|сформулируй|придумай|выпиши|обобщи|опирайся|реши|докажи|прочитай|прочти|дай|"
    r"переделай|отредактируй|покажи)(?:те)?|"
    r"(?:не[ ](?:могли|мог|могла)[ ]бы|можешь|можете|можно)|"
    r"(?:мне[ ])?(?:нужн[оаы]?|надо|необходимо|требуется)|(?:я[ ])?хо(?:чу|тел(?:а)?[ ]бы|телось[ ]бы)|"
    r"ты[ ]—|вы[ ]—|используя|на[ ]основе|исходя[ ]из|если[ ](?:ответа|информации|не[ ]знаешь|в[ ]тексте))"
    r"(?!\w)|.{0,40}\b(?:ответь|напиши|переведи|объясни|сделай|составь|подскажи|помоги)(?:те)?[ ,]"
)
_RUSSIAN_MOOD = re.compile(r"(?:не[ ])?[а-яё]{2,14}(?:йте|ите|ьте|тесь|ай|уй|яй)[ ](?!\W)")
_ARABIC_VERB = re.compile(
    r"(?:من فضلك،? |رجاء،? |ثم |و)?(?:أجب|اجب|لخص|لخّص|ترجم|اشرح|اكتب|أكتب|استخرج|قارن|صنف|صنّف|أعد|اعد|صغ|حلل|"
    r"حلّل|اذكر|عدد|ضع|حول|حوّل|صحح|صحّح|اختصر|وضح|وضّح|بين|اقترح|حدد|حدّد|أنشئ|قدم|قدّم|استخدم|اعتمد|ساعدني|أعطني|"
    r"اعطني|رتب|جد|احسب|قل|دقق|يرجى|الرجاء|من فضلك|هل يمكنك|هل تستطيع|أريد|اريد|أحتاج|أود|أنت|بناء على|"
    r"استنادا إلى|إذا لم (?:تجد|تعرف|تكن|يكن|يوجد|يرد)|لا (?:تستخدم|تضف|تذكر|تكتب|تخترع|تتجاوز))(?!\w)"
)
_HINDI_VERB = re.compile(
    r"(?:कृपया|अगर उत्तर|यदि उत्तर|आप एक|तुम एक|मुझे .{2,60}(?:चाहिए|बताओ|बताइए|बताएँ|दो|दीजिए)|क्या (?:आप|तुम) .{2,80}सक(?:ते|ती) )|"
    r".*(?:सारांश|अनुवाद|उत्तर|जवाब|वाक्य|बिंदु|सूची|तालिका|हिंदी|अंग्रेज़ी|अंग्रेजी|ईमेल|लेख|पाठ|अनुच्छेद|इसे|इसका|इसको|नीचे|ऊपर|\").*"
    r"(?:करो|करें|करिए|कीजिए|दो|दें|दीजिए|लिखो|लिखें|लिखिए|बताओ|बताएँ|बताएं|बताइए|समझाओ|समझाइए|बनाओ|बनाइए|बनाएँ|निकालो|निकालिए)[।.!]*$"
)
_HINDI_MOOD = re.compile(
    r".*(?:करो|करें|करिए|कीजिए|दो|दें|दीजिए|लिखो|लिखें|लिखिए|बताओ|बताइए|डालें|डालिए|लें|लीजिए|रखें|रखिए|न करें)[।.!]*$"
)
_KOREAN_VERB = re.compile(
    r".*(?:요약|번역|설명|작성|정리|대답|답|비교|분류|추출|분석|수정|교정|나열|제안|추천|검토|변환|알려|써|적어|만들어|고쳐|바꿔|줄여|찾아|골라|말해|말)"
    r"(?:을|를|은|는)?[ ]?(?:해[ ]?)?(?:줘|줘요|줄래|줄래요|주세요|주십시오|주시겠어요|주시겠습니까|주시면|줄 수 있|주실 수 있|달라|하라|하세요|하시오|하십시오|해|해라|"
    r"부탁|바랍니다|드려요)|당신은|너는|.*(?:부탁(?:해|드|합)|싶(?:어|은|습))"
)
_KOREAN_MOOD = re.compile(r".*(?:세요|시오|하라|해라|하자|마라|말 것|할 것|바랍니다)[.!]*$")

_DUTCH_VERB = _words(
    """vat vertaal beantwoord noem schrijf beschrijf vergelijk geef herschrijf verbeter corrigeer
    controleer antwoord bepaal bedenk vertel analyseer classificeer haal formuleer verklaar
    maak graag kun kunt zou wil ik wilt kan bereken zoek"""
)
_DUTCH_AFTER = _words(  # a question's first word is an instruction's only before these
    "je jij u iemand wil wou zou heb had graag mag moet het de een deze dit dat alle onderstaande "
    "bovenstaande mij me in uit alleen samen op hier er kort"
)
_POLISH_VERB = _words(
    """odpowiedz napisz przetłumacz przetlumacz streść stresc podsumuj wyjaśnij wyjasnij wypisz
    wymień wymien porównaj porownaj popraw zrób zrob podaj przeredaguj skróć skroc znajdź znajdz
    sklasyfikuj wyodrębnij opisz przygotuj zaproponuj stwórz stworz pomóż pomoz proszę prosze
    potrzebuję potrzebuje chciałbym chciałabym wskaż wskaz sprawdź oceń przeanalizuj ułóż utwórz
    wygeneruj sformułuj określ uzupełnij jesteś"""
)
_POLISH_REQUEST = re.compile(
    r"czy (?:mógłbyś|mogłabyś|możesz|mogłby pan|mogłaby pani|może pan|może pani|da się)\b|"
    r"jeśli (?:nie ma|nie wiesz|odpowied|brak)|używaj tylko|na podstawie "
)
_VIETNAMESE_VERB = re.compile(
    r"(?:hãy|vui lòng|làm ơn|xin hãy|tóm tắt|dịch|viết|giải thích|liệt kê|trả lời|so sánh|phân loại|"
    r"trích xuất|trích|cho (?:tôi|mình|em|biết)|giúp (?:tôi|mình|em)|dựa (?:vào|trên)|sửa|rút gọn|nêu|"
    r"đưa ra|phân tích|tính(?! (?:đến|từ|ra|theo|cách|chất|năng))|lập(?! (?:tức|trường|luận))|sắp xếp|phân loại|"
    r"kể(?! (?:từ|cả|trên))|chuyển|soạn|kiểm tra|đóng vai|bạn là|bạn có thể|chỉ (?:dùng|trả lời|sử dụng)|"
    r"tôi (?:cần|muốn)|mình (?:cần|muốn)|nếu không (?:có|tìm|biết)|đừng|không được)(?!\w)|"
    r".*(?:, hãy |giúp (?:mình|tôi|em)(?: với)?\W*$)"
)
_TURKISH_VERB = _words(
    """özetle özetler özetleyin çevir çevirin çevirir açikla açiklayin açiklar listele listeleyin
    yanitla yanitlayin cevapla cevaplayin karşilaştir karşilaştirin düzelt düzeltin kisalt kisaltin
    yaz yazin hazirla hazirlayin oluştur oluşturun belirt belirtin sirala siralayin anlat anlatin
    söyle söyleyin çikar çikarin kullan kullanin ekleme yazma kullanma
    misin misiniz musun musunuz müsün müsünüz lütfen istiyorum"""
)
_TURKISH_MOOD = re.compile(r"[^\W\d_]{2,14}(?:y?[iuü]n|y?[iuü]n[iuü]z)$")
_TURKISH_LETTERS = re.compile("[şğçöü]")
_TURKISH_ALONE = re.compile("[şğ]")  # the others stand in German and French as well
_VIETNAMESE_LETTERS = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")

# Who writes, who is addressed and what is asked for, in the scripts of `is_other_script`.
OTHER_FIRST = re.compile(
    r"\b(?:я|мне|меня|мы|нам|нас|мой|моя|моё|мои|моего|моей|наш\w{0,3})\b|"
    r"\b(?:أنا|لي|نحن|عندي|لدي|أريد|أحتاج)\b|मैं|मुझे|मेर[ाीे]|हम|"
    r"(?:^|[ ])(?:저는|제가|나는|내가|저희|우리|제)(?=[ ])"
)
OTHER_SECOND = re.compile(
    r"\b(?:ты|вы|тебе|тебя|вам|вас|твой|твоя|твои|ваш\w{0,3}|можешь|можете)\b|"
    r"\b(?:أنت|لك|يمكنك|تستطيع)\b|आप|तुम|(?:^|[ ])(?:당신|너는|네가)"
)
OTHER_OUTPUT = re.compile(
    r"\b(?:резюме|таблиц\w{1,3}|табличк\w{1,3}|спис\w{2,4}|предложени\w{1,3}|ответ\w{0,3}|письм\w{1,3}|вывод\w{0,2}|"
    r"заголов\w{2,4}|перевод\w{0,2}|пункт\w{0,3}|слов|текст\w{0,2}|стил\w{1,2})\b|"
    r"جملة|جملتين|جمل|ملخص|جدول|قائمة|نقاط|كلمة|أسلوب|सारांश|अनुवाद|सूची|तालिका|वाक्य|बिंदु|"
    r"요약|번역|문장|목록|두 줄|한 줄|단어|글자|존댓말|반말"
)


def is_other_script(folded: str) -> bool:
    """Whether a sentence begins in a script that is neither Latin nor Chinese nor Japanese."""
    first = folded[:1]
    return "\u0370" <= first < "\u2000" or "\uac00" <= first <= "\ud7a3"


def told(folded: str) -> int:
    """Return how sure a sentence in lower case is an imperative by its language's own wording."""
    first = folded[:1]
    if is_other_script(folded):
        return _by_script(first, folded)
    if first > "\u02ff":
        return 0
    word, _, rest = folded.partition(" ")
    if word in _POLISH_VERB or (word in _DUTCH_VERB and rest.partition(" ")[0] in _DUTCH_AFTER):
        return VERB
    return 0 if folded.isascii() else _by_letters(folded)


def _by_script(first: str, folded: str) -> int:
    for last, verb, mood in _SCRIPTS:
        if first <= last:
            if verb.match(folded):
                return VERB
            return MOOD if mood is not None and mood.match(folded) else 0
    return 0


_SCRIPTS = (
    ("\u04ff", _RUSSIAN_VERB, _RUSSIAN_MOOD),
    ("\u06ff", _ARABIC_VERB, None),
    ("\u097f", _HINDI_VERB, _HINDI_MOOD),
    ("\ud7a3", _KOREAN_VERB, _KOREAN_MOOD),
)


def _by_letters(folded: str) -> int:
    if _VIETNAMESE_LETTERS.search(folded):
        if _VIETNAMESE_VERB.match(folded):
            return VERB
    elif _POLISH_REQUEST.match(folded):
        return VERB
    if _TURKISH_LETTERS.search(folded):
        told, _, _ = folded.partition(":")  # "duyguyu yaz: olumlu, olumsuz"
        last = (told.rstrip(".!? ").rsplit(None, 1) or [""])[-1]
        if last in _TURKISH_VERB:
            return VERB
        return MOOD if _TURKISH_ALONE.search(folded) and _TURKISH_MOOD.match(last) else 0
    return 0
