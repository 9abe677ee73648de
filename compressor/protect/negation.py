"""Words that turn a meaning round, in the languages that prompts are mostly written in.

A span holds the negation and the word next to it that it bears on, so that neither stays without
the other: "not" kept for the sake of a word further on would otherwise negate the wrong one.
"""

import re

from compressor.case_folding import fold_case
from compressor.protect.negation_words import NEGATING_PHRASES, NEGATING_WORDS
from compressor.types import Kind, ProtectedSpan

# An underscore is Markdown's emphasis here (_not_), unless it joins letters (is_not_null).
_START = r"(?<![^\W_])(?<![^\W_]_)"
_END = r"(?![^\W_]|_[^\W_]|['’]|[\u0900-\u0903\u093a-\u094f])"
# For text in lower case.
_NEGATION = re.compile(
    rf"{_START}(?:(?:{NEGATING_PHRASES}){_END}|personne (?=n['’])|(?<!a )few{_END}|"
    rf"n[e'’]\s?\w{{1,20}}\s(?:plus|point|personne|que|pas|jamais|rien){_END}|"
    rf"(?:{NEGATING_WORDS}|mai|ei){_END}|[^\W\d_]{{0,12}}n['’]t{_END}|n['’](?=\w))"
)
# Italian "never", not the month; Finnish "not", not the German egg.
_MAI_OR_EI = re.compile(
    r"(?<!\d )(?<!\d\. )(?<!1er )(?<!en )(?<!de )(?<!mois )mai(?!,? (?:19|20)\d\d)|ei"
)
# What only looks like one: "No. 5", "no. A-5", "n.º 5", a typeface, a dance, a French birth.
_NO_NEGATION = re.compile(
    r"no\.?\s{0,2}(?-i:[A-Z#]{0,8})[-/]?\d|no\.?\s{0,2}[º°]|sans[ -]serif|pas de (?:deux|calais)|"
    r"non[- ]?(?:fiction|profit|stop|stick)|né (?:en|à|au|aux|le) |nothing like",
    re.IGNORECASE,
)
_WEDER = re.compile(r"\b[Ww]eder\b[^.!?\n]{1,120}?\b(?P<noch>noch)\b")
# "only": ne peut être résilié que par écrit. Not of "ne sait pas que", which is negated already.
_NE_QUE = re.compile(
    r"(?<![^\W_])(?:[Nn]e\s|[Nn]['’])"
    r"(?:(?!\b(?:pas|plus|jamais|rien|personne|aucune?|ni|point|que)\b|qu['’])[^.,;:!?\n]){2,60}?"
    r"\s(?P<que>qu(?:e\s|['’]))"
)
_CAPITALS = frozenset(
    {"NE", "NI", "SEM", "SIN", "PAS", "NIC", "ANI"}
)  # compass points, elements, acronyms

_FUNCTION_LIST = (
    "a an the of to in on at by for from with as and or but be been being is are was were am it its "
    "any all this that these those his her their our my your he she they we you i do does did have "
    "has had will would can could may might must shall should so very too only even yet much such "
    "der die das den dem des ein eine einen einem einer eines und oder zu im in am an auf von vom "
    "mit für ist sind war wird werden er sie es ich wir sich als wie mehr noch so "
    "le la les l un une des du de d à au aux et ou en y est sont a ont il elle on ils se ce cet que "
    "el los las una unos unas del al y o e es son ha han se lo que con por para muy más "
    "o os as um uma do da dos das no na e é são lhe il lo gli di che è più "
    "в во на с со к ко по за из о об у от до для бы же был была было были w we na z ze do od po "
    "θα να ο η το οι τα του της των τον την στο στη στην στον στους στις στα σε με από για και είναι "
    "في من على إلى عن مع أن إن ما هذا هذه את של על עם אל כי זה "
    # only, and what says how far something may or must be
    "solo sólo solamente soltanto só somente seulement uniquement alleen bara bare kun endast tylko "
    "только лише μόνο debe deben debía debería debo puede pueden podrá deberá devo deve devono dovrà può possono "
    "potrà pode podem deverá poderá должен должна должно должны может могут можно πρέπει μπορεί może mogą"
)
_FUNCTION_WORDS = frozenset(_FUNCTION_LIST.split())
_WORD = re.compile(r"[^\W_]+(?:['’.,\-/][^\W_]+)*")
_NEXT_WORDS = 5  # words among which the one that a negation bears on is looked for
_JOINED_WORDS = 1  # between two negations that are one
_JOINED_CHARACTERS = 12
_STOPS = re.compile(
    r"[.,;:!?…()\[\]{}\"“”„«»—–。、，；：！？「」『』]|"
    r"\n(?![ \t]{0,8}[a-zß-öø-ÿа-яёα-ω])"  # a line that was wrapped goes on in small letters
)

# Chinese puts the negation before what it negates, Japanese after the stem of the verb: the span
# takes that neighbour in, since between unspaced units there is no other way to tell.
_HAN = r"[\u4e00-\u9fff]"
_CHINESE = re.compile(
    rf"(?P<asked>{_HAN})[不没沒](?P=asked)|"  # 能不能: a question
    r"(?:(?:如果?|若|倘若|要是)(?=[不没沒未无無]))?+"  # 如不: "if not"
    rf"(?:(?<!要)不(?!仅|僅|断|斷|同|久)|没有?|沒有?|(?<!南)[无無]|未(?!来|來)|勿|非(?![常洲])|"
    rf"(?<![特区區个個告级級类類性分识識判差])别(?![的人墅])|禁止|并非|并不|并未|并无|並非|並不|並未|"
    rf"很难|很難|难以|難以|拒绝|拒絕|否认|否認|排除|缺乏|尚未|从未|從未|除非|除了|否[则則]|"
    rf"(?<![删刪清解排扣消开開拆免去根])除(?={_HAN}{{1,10}}外))"
    # not as far as the next one, and a verb that is not Chinese as well: 不要直接delete
    rf"(?:(?![不没沒无無未]){_HAN}){{0,3}}+(?:[ ]?[A-Za-z][A-Za-z-]{{1,20}}(?![\w(]))?"
)
_JAPANESE = re.compile(
    r"[\u3041-\u309f\u30a1-\u30ff\u4e00-\u9fff]{0,4}?"
    r"(?:ませんでした|ません|なかった|なければ|なくて|(?<![少危])ないで?|なく(?=、|。|$)|ず(?=に|、|。)に?|"
    r"ざる|なし(?!で)|なしで|まい(?=[。、])|を除[きいくけ]て?|以外(?=[のにはを、。]))(?:[\u3041-\u309f]{0,8}(?=[。、？！」\n]|$))?|"
    r"(?<![\u3041-\u309f])(?:ただし|但し)(?=[、，])|さもな(?:ければ|いと)|[未無不非](?=[\u4e00-\u9fff])[\u4e00-\u9fff]{1,2}"
)
# What such a span lacks where it holds nothing but endings: 変化|はみられず, 請求する|ことはできない.
_STEM = re.compile(r"[\u30a1-\u30ff\u4e00-\u9fff]{1,8}[\u3041-\u309f]{0,6}\Z")
_STEM_REACH = 14
_HAS_STEM = re.compile(r"[\u30a1-\u30ff\u4e00-\u9fff]")
# "nu" is now in Dutch and Swedish, naked in French.
_ROMANIAN = re.compile("[ășțşţ]")
_NU = re.compile(rf"{_START}nu{_END}", re.IGNORECASE)
# "en" is in French, one in Swedish and Danish, and in Dutch: where the words around it are Finnish
# alone, or the next one is a verb that it negates.
_EN = re.compile(
    rf"{_START}en{_END}(?=(?P<verb>\s(?:\w{{2,12}}\s)?(?:ole|ollut|tiedä|halua|ymmärrä|usko|muista|osaa|"
    r"pysty|jaksa|löydä|löytänyt|saanut|tullut|voinut|ehdi|ehtinyt|pidä|näe|nähnyt|suostu)(?!\w))?)",
    re.IGNORECASE,
)
_FINNISH = re.compile(
    r"\b(?:että|mutta|myös|sekä|minä|minun|ovat|olen|vielä|enää|tämä|tämän|sitä|siitä|koska|vaikka|"
    r"jotta|olisi|sinä|hän|niin|kun|jos)\b",
    re.IGNORECASE,
)
_NOT_FINNISH = re.compile(
    r"\b(?:och|det|het|een|van|les?|la|der|und|af|har|el|los)\b", re.IGNORECASE
)
_FINNISH_WORDS = re.compile(
    rf"{_START}(?:(?:ei|en|et|emme|ette|eivät)kä|älköön|elle[in]|ette[in]|ilman|paitsi){_END}",
    re.IGNORECASE,
)
_FINNISH_REACH = 300  # characters to each side
# In Turkish it is a part of the verb, whose object can stand without it: kabul edilmiyor.
_TURKISH = "ığİ"
_TURKISH_VERB = re.compile(
    r"(?<!\w)[a-zçğıöşü]{2,20}?m(?:[ıiuü]yor|[ae]d[ıi]|[ae]z|[ae]m[ae]l[ıi]|[ae]m[ıi]ş|"
    r"[ae]y[ae]c[ae][kğ]|[ae]y[ıi]n|[ae]kt[ae])(?:[a-zçğıöşü]{0,8})(?!\w)"
)
_HANGUL = "[\uac00-\ud7a3]"
# Most negations of Korean follow what they negate (먹지 않았다), also with a noun that needs a verb
# before it between them (양도할 수 없다); two short ones come before it.
_KOREAN = re.compile(
    rf"(?:(?:{_HANGUL}{{1,20}}\s)?(?:수|줄|것|적|리|바|필요)[가는도이은]?\s|{_HANGUL}{{1,20}}\s)?(?<!{_HANGUL})"
    rf"(?:않|없|아니|아닙|아닌|못하|못한|못할|못했|마세요|마십시오|말고|말아|말라){_HANGUL}{{0,20}}|"
    rf"(?<!{_HANGUL})(?:안|못)\s{_HANGUL}{{1,20}}|(?<!{_HANGUL})전혀(?!{_HANGUL})"
)
# In Hindi a negation before an auxiliary bears on the word before it: स्पष्ट नहीं हैं.
_HINDI = re.compile(r"\S{1,30}\sनहीं\s(?:है|हैं|था|थे|थी|थीं|हूँ|हो)(?![\u0900-\u0963])")
# Verbs of Persian have it in front, and Bengali behind them, where what they say stands before
# them: ادامه نخواهد داشت.
_PERSIAN_LETTER = re.compile("[پچژگکی]")
_PERSIAN = re.compile(
    r"(?:[^\W\d_]{2,20}[ \u200c])?(?<!\w)(?:نمی[\u200c ]?\w{1,12}|نخواه\w{1,4}(?: \w{2,8})?|نیست\w{0,4}|نباید|نبا?شد\w{0,3}|"
    r"ن(?:شد|کرد|کن|دار|داشت|بود|یافت|رسید|داد|ده|گرفت|گیر)\w{0,6}(?:[\u200c ](?:است|اند|ام|ای|ایم))?)(?!\w)|"
    r"(?<!\w)(?:هیچ[\u200c ]?\w{0,6}|بدون|مگر|به جز|جز|غیر از)(?: \w{1,20})?(?!\w)"
)
_BENGALI = re.compile(
    r"\S{1,30}\s(?:না|নেই|নয়|নয়|নি|ছাড়া|ছাড়া)(?![\u0980-\u09fe])|\S{1,30}নি(?=[।\s,;])"
)
_THAI = re.compile("(?:มิ(?:ฉะ|เช่น)นั้น|ไม่|อย่า|ห้าม|มิได้|ปราศจาก|เว้นแต่|ยกเว้น)[\u0e01-\u0e4e]{0,3}")
_LAO = re.compile("(?:ບໍ່|ຢ່າ|ຫ້າມ|ປາສະຈາກ)[\u0e81-\u0ecd]{0,4}")
_KHMER = re.compile("(?:មិន|គ្មាន|កុំ|ពុំ|ហាម)[\u1780-\u17d3]{0,4}")
# A prefix, and an ending that it calls for.
_MYANMAR = re.compile(
    r"မ(?![\u102b-\u103e])[\u1000-\u103f]{1,14}?(?:ဘူး|ဘဲ|ပါ(?![\u1000-\u103f])|နှင့်|နဲ့)"
)
_BY_SCRIPT = (_CHINESE, _KOREAN, _THAI, _LAO, _KHMER, _MYANMAR)
# What one of these begins with.
_EASTERN = re.compile("[\u0e01-\u0ecd\u1000-\u103f\u1780-\u17d3\u3041-\ud7a3]")
_KANA = re.compile(r"[\u3041-\u30ff]")


def negation_spans(text: str) -> list[ProtectedSpan]:
    """Return the negations of `text`, each with the word next to it that it bears on.

    Each stays exactly when what it negates stays.
    """
    found = [
        (match.start(), _bearing_end(text, match.end()))
        for match in _NEGATION.finditer(fold_case(text))
        if _negates(text, match)
    ]
    found += [(m.start("noch"), _bearing_end(text, m.end())) for m in _WEDER.finditer(text)]
    if " qu" in text:
        found += [(m.start("que"), _bearing_end(text, m.end())) for m in _NE_QUE.finditer(text)]
    if _EASTERN.search(text):
        found += [
            (_stem_start(text, m), m.end())
            for m in _JAPANESE.finditer(text)
            if _KANA.search(m.group()) or m.group().endswith("以外")
        ]
        for pattern in _BY_SCRIPT:
            found += [m.span() for m in pattern.finditer(text)]
    if _PERSIAN_LETTER.search(text):
        found += [m.span() for m in _PERSIAN.finditer(text)]
    if "ন" in text or "ছ" in text:
        found += [m.span() for m in _BENGALI.finditer(text)]
    if "नहीं" in text:
        found += [m.span() for m in _HINDI.finditer(text)]
    if _ROMANIAN.search(text):
        found += [(m.start(), _bearing_end(text, m.end())) for m in _NU.finditer(text)]
    if any(letter in text for letter in _TURKISH):
        found += [m.span() for m in _TURKISH_VERB.finditer(text)]
    if "ä" in text:
        words = _FINNISH_WORDS.finditer(text)
        found += [(m.start(), _bearing_end(text, m.end())) for m in words]
        found += [
            (m.start(), _bearing_end(text, m.end()))
            for m in _EN.finditer(text)
            if m["verb"] or _is_finnish(text, *m.span())
        ]
    return [ProtectedSpan(*span, Kind.NEGATION, conditional=True) for span in _merged(text, found)]


def _is_finnish(text: str, start: int, end: int) -> bool:
    """Whether there are two words of Finnish around this place, and none of its neighbours."""
    around = text[max(0, start - _FINNISH_REACH) : end + _FINNISH_REACH]
    words = {match.group().lower() for match in _FINNISH.finditer(around)}
    return len(words) > 1 and _NOT_FINNISH.search(around) is None


def _negates(text: str, match: re.Match[str]) -> bool:
    """Whether what is a negation in lower case is one as it stands in the text."""
    start, end = match.span()
    if match.group() in ("mai", "ei"):
        return _MAI_OR_EI.match(text, start) is not None
    return text[start:end] not in _CAPITALS and not _NO_NEGATION.match(text, start)


def _stem_start(text: str, match: re.Match[str]) -> int:
    """Return where the word begins of which the match, where that is all it is, has the endings."""
    start = match.start()
    if _HAS_STEM.search(match.group()):
        return start
    stem = _STEM.search(text, max(0, start - _STEM_REACH), start)
    return stem.start() if stem else start


def _merged(text: str, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join negations that stand close together: "ne contient aucune clause" loses no half."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged:
            last = merged[-1]
            between = text[last[1] : start]
            if (
                len(between.split()) <= _JOINED_WORDS
                and not _STOPS.search(between)
                and (len(between) <= _JOINED_CHARACTERS)
            ):
                merged[-1] = (last[0], max(end, last[1]))
                continue
        merged.append((start, end))
    return merged


def _bearing_end(text: str, end: int) -> int:
    """Return the end of the next word that says something, in the same clause.

    Where none does it is the next word's (утечки не было); `end` where there is none either.
    """
    first = end
    for number, word in enumerate(_WORD.finditer(text, end, end + 80)):
        if number == _NEXT_WORDS or _STOPS.search(text, end, word.start() + 1):
            break
        if word.group().lower() not in _FUNCTION_WORDS:
            return word.end()
        first = word.end() if first == end else first
    return first
