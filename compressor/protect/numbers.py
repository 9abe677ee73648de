"""Numbers with what gives them their meaning: sign, currency, unit, percent, date, time, range."""

import re

from compressor.types import Kind, ProtectedSpan

MONTH = (
    r"(?:Jan(?:uary|uar|\.)?|Feb(?:ruary|ruar|\.)?|Mar(?:ch|\.)?|März|Apr(?:il|\.)?|May|Mai|June?|"
    r"Juni|July?|Juli|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Okt(?:ober|\.)?|"
    r"Nov(?:ember|\.)?|Dec(?:ember|\.)?|Dez(?:ember|\.)?|janvier|février|mars|avril|mai|juin|"
    r"juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|"
    r"agosto|septiembre|octubre|noviembre|diciembre)"
)
_CURRENCY = r"(?:[$€£¥₹₽₩]|US\$|A\$|C\$|USD|EUR|GBP|CHF|JPY|Rs\.?)"
_SCALE = (
    r"(?:thousand|hundred|million|billion|trillion|dozen|[Tt]ausend|Millionen|Million|Milliarden|"
    r"Milliarde|milliers?|millions?|milliards?|mil|millones|millón|bn|mn|[kKmMbB](?![\w]))"
)
_UNIT = (
    r"(?:%|‰|percent(?:age points?)?|per cent|Prozent|pour cent|por ciento|pp|bps|°\s?[CFK]?|"
    r"degrees?|Grad|degrés?|grados?|[nµμmckdMG]?m[²³23]?|km²?|mi|miles?|ft|feet|foot|inch(?:es)?|"
    r"yards?|met(?:er|re)s?|kilomet(?:er|re)s?|centimet(?:er|re)s?|millimet(?:er|re)s?|"
    r"[Kk]ilometern?|[Mm]etern?|kilómetros?|metros?|mètres?|kilomètres?|"
    r"[kmµμn]?g|kilograms?|kilos?|grams?|Kilogramm|Gramm|kilogramos?|gramos?|kilogrammes?|grammes?|"
    r"tons?|tonnes?|Tonnen|lbs?|pounds?|oz|ounces?|[mµdc]?[lL]|lit(?:er|re)s?|Litern?|litros?|"
    r"gallons?|gal|acres?|hectares?|ha|"
    r"[nµμm]?s|ms|secs?|seconds?|mins?|minutes?|hrs?|hours?|h|days?|weeks?|months?|years?|decades?|"
    r"centur(?:y|ies)|Sekunden?|Minuten?|Stunden?|Tagen?|Tage|Wochen?|Monaten?|Monate|Jahren?|Jahre|"
    r"secondes?|heures?|jours?|semaines?|mois|ans?|années?|segundos?|minutos?|horas?|días?|"
    r"semanas?|mes(?:es)?|años?|[KMGTP]i?B(?:/s|ps)?|[kMGT]?bps|bits?|bytes?|[kMGT]?Hz|"
    r"[kMG]?W(?:h)?|[kMm]?V|m?Ah?|[kM]?Pa|k?cal(?:ories)?|k?J|mmHg|bar|psi|rpm|mph|km/h|kph|m/s|"
    r"px|dpi|fps|dB|[mµμ]?[Mm]ol|mg/[dk][lLg]|IU|[kK]elvin|USD|EUR|GBP|CHF|JPY|dollars?|euros?|"
    r"cents?|pesos?|yen|francs?|pence|Dollar|Euro|times|x|a\.?m\.?|p\.?m\.?|AM|PM|BC|AD|BCE|CE|"
    r"o['’]clock|Uhr|people|users?|tokens?|percentile|points?)"
)
_CJK_UNIT = (
    r"[年月日時时分秒円元个個人名件台岁歳回度％%万萬億亿兆千百倍号號第歩枚本冊層階区年代世紀天周层字片米吨]{1,4}|"
    r"(?:平方|立方)?(?:公斤|公里|毫克|毫升|厘米|米|美元|欧元|メートル|キロ|グラム|パーセント|センチ|トン|ドル|ユーロ|リットル)"
)
_EXPONENT = r"[^\S\n]?[×x·*]\s?10(?:\^|\*\*)?[-−+⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}(?!\w)"
_NUMERAL = rf"\d+(?:[.,:/’'·]\d+){{0,8}}[½⅓¼¾⅔]?(?:{_EXPONENT}|[eE][-+]?\d{{1,3}}(?!\w)|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})?"
_ISO_DATE = r"(?<![\d.-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
_SUFFIX = r"(?:st|nd|rd|th|s|er|ère|e|º|ª)(?!\w)"
_ONE = rf"{_NUMERAL}(?:{_SUFFIX})?"
_AMOUNT = (
    rf"(?:[~≈<>≤≥±]\s?)?(?:(?<![\w.])[+\-−])?(?:{_CURRENCY}\s?)?{_ONE}"
    rf"(?:(?:[^\S\n]?[-–—−~〜±×x]|\s?(?:to|bis|à|a))\s?(?:{_CURRENCY}\s?)?{_ONE}(?!\w))?"
    rf"\+?(?:[\s-]?{_SCALE}(?!\w))?(?:(?:[\s-]?(?:per\s)?{_UNIT}(?:/\w{{1,8}}){{0,2}}|/\w{{1,8}})(?!\w)|(?:{_CJK_UNIT}))?"
    r"(?:[年月]\d{1,2}[月日]?){0,2}"
)
_NUMBER = re.compile(
    rf"{_ISO_DATE}|"
    rf"(?<!\w){MONTH}\s\d{{1,2}}(?:{_SUFFIX})?(?:,?\s\d{{4}})?(?!\w)|"
    rf"(?<![A-Za-z\d_.,])\d{{1,2}}(?:{_SUFFIX}|\.)?\s(?:of\s|de\s)?{MONTH}(?:,?\s(?:de\s)?\d{{4}})?(?!\w)|"
    rf"(?<!\w){MONTH}\s\d{{4}}(?!\w)|"
    rf"(?:(?<![A-Za-z\d_.,]){_AMOUNT})"
    r"|[½⅓¼¾⅔]"
)
_HAN_NUMBER = re.compile(
    rf"{_ISO_DATE}|"
    r"[一二三四五六七八九十百千万億亿两兩零〇]{1,8}(?:点[一二三四五六七八九]{1,4})?"
    r"(?:年代|世紀|世纪|年|月|日|時|时|分|秒|円|元|人|個|个|割|パーセント|"
    r"名|件|台|岁|歳|回|度|％|倍|次|名|座|条|位|米|吨|公里|公斤|天|周|层|字|片|毫克|号)"
)
# Numbers in words. Some of them are other words too, and count only before a unit.
_UNIT_NUMBER = r"one|an?|half|several|un|une|ein\w{0,2}|uno|una|um|uma|dos|once|mil|sei|elf"
_NUMBER_WORD = (
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-(?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"hundred|thousand|million|billion|trillion|dozens?|double|triple|twice|thrice|"
    r"(?:two|three|four|five)-(?:thirds|quarters|fifths)|two thirds|three quarters|one third|one quarter|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|zwanzig|dreißig|vierzig|fünfzig|hundert|"
    r"tausend|doppelt|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|vingt|trente|quarante|"
    r"cinquante|cent|mille|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|"
    r"ciento|tre|quattro|cinque|sette|otto|nove|dieci|venti|cento|três|quatro|sete|oito|dez|vinte"
)
_IN_WORDS = re.compile(
    rf"(?<![\w'’-])(?:(?i:{_UNIT_NUMBER})[\s-](?:{_SCALE}|{_UNIT})(?:[\s-]{_UNIT})?|"
    rf"(?i:one)\s(?:in|of|out of)\s(?:(?i:{_NUMBER_WORD})|\d+)|"
    rf"(?i:{_NUMBER_WORD})(?:[\s-](?:and\s)?(?i:{_NUMBER_WORD})){{0,4}}(?:[\s-]{_SCALE})?"
    rf"(?:[\s-](?:per\s)?{_UNIT})?)(?![\w-])",
)

# What limits a number stays with it: "at least 5" without "at least" is another number.
_LIMITS = (
    r"(?:no |not )?(?:more|less|fewer|greater|higher|lower|larger|smaller|older|younger|longer|shorter|"
    r"later|earlier|better|worse) than(?: or equal to)?|at (?:least|most|the (?:least|most|latest))|"
    r"up to|as (?:many|much|few|little|high|low|late|early) as|(?:a )?(?:maximum|minimum|total) of|max\.?|min\.?|"
    r"under|over|below|above|about|around|approximately|approx\.?|roughly|nearly|almost|exactly|only|"
    r"within|between|from|until|before|after|since|by|for|every|plus or minus|minus|under no|exceed(?:s|ed|ing)?|"
    r"(?:nicht )?(?:mehr|weniger|länger|kürzer|älter|höher|größer|kleiner) als|mindestens|höchstens|maximal|"
    r"minimal|bis zu|bis|unter|über|etwa|ca\.?|circa|rund|fast|genau|nur|zwischen|von|seit|ab|binnen|innerhalb von|"
    r"au moins|au plus|(?:plus|moins) de|jusqu['’](?:à|au|en)|environ|près de|entre|depuis|avant|après|"
    r"moins|au maximum|seulement|al menos|por lo menos|como máximo|como mínimo|(?:más|menos) de|hasta|"
    r"unos|unas|cerca de|desde|aproximadamente|casi|solo|pelo menos|no máximo|(?:mais|menos) de|até|"
    r"almeno|al massimo|(?:più|meno) di|fino a|circa"
)
_BEFORE = re.compile(
    rf"(?:(?<![\w'’])(?:{_LIMITS})\s(?:the\s|a\s|an\s|about\s|des\s|de\s|les\s|los\s|the\snext\s)?|"
    r"(?<![\w])[A-Za-zαβσμχκ][²\d]?\s?[=<>≤≥±≈]{1,2}\s?|[<>≤≥≈±~=∼]{1,2}\s?|"
    r"(?:至少|最多|最少|不超过|不超過|不少于|不到|不足|超过|超過|约|約|大约|近|每|第|从|共|仅|僅|最大|最高|最低|少なくとも))\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s?(?:or|and) (?:more|less|fewer|higher|lower|above|below|over|under|older|younger|later|earlier|longer|up)(?!\w)|"
    r"\s(?:oder|und) (?:mehr|weniger|älter|jünger|höher|länger)(?!\w)|\s(?:ou|et) (?:plus|moins)(?!\w)|"
    r"\s(?:o|y) (?:más|menos)(?!\w)|\s(?:a|an|per|each) (?:second|minute|hour|day|night|week|month|year|person|head)(?!\w)|"
    r"\s(?:at (?:most|least)|of age|old|ago|each|apiece)(?!\w)|\+(?!\w)|"
    r"(?:以上|以下|未満|未满|以内|以內|以降|まで|程度|ほど|あたり|余|多|左右|超)"
)
_SIGNS = "<>=≤≥≈~±"
_NAMED = re.compile(r"(?<!\w)\w{1,3}\s?\Z")  # p < 0.05
_BEFORE_REACH = 32
# Joins two numbers into one: "between 5 and 10", "two of the four", "5 out of 8".
_JOINT = re.compile(
    r"\s(?:and|und|et|y|e|to|bis|a|à|or|oder|ou|o|out of|of|of the|von|sur|de|de los)\s|[^\S\n]?/[^\S\n]?|から|到|至"
)
_RANGE_WORDS = re.compile(
    r"(?:between|from|zwischen|von|entre|de|desde|du|dal?|tra)\s", re.IGNORECASE
)
_OF = re.compile(r"\s(?:out\s)?of\s(?:the\s)?|[^\S\n]?/[^\S\n]?|から|到|至|\s(?:to|bis|à|a)\s")


def number_spans(text: str) -> list[ProtectedSpan]:
    """Return the numbers of `text`, each with its unit and what limits it ("at least", 以上).

    A number stays exactly when its clause stays.
    """
    found = [m.span() for m in _NUMBER.finditer(text)]
    found += [m.span() for m in _IN_WORDS.finditer(text)]
    if not text.isascii():
        found += [m.span() for m in _HAN_NUMBER.finditer(text)]
    widened = [_widened(text, start, end) for start, end in found]
    return [ProtectedSpan(s, e, Kind.NUMBER, conditional=True) for s, e in _joined(text, widened)]


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in what stands before and after a number and limits it."""
    before = _BEFORE.search(text, max(0, start - _BEFORE_REACH), start)
    after = _AFTER.match(text, end)
    if text[start] in _SIGNS and (name := _NAMED.search(text, max(0, start - 6), start)):
        return name.start(), after.end() if after else end
    return before.start() if before else start, after.end() if after else end


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge numbers that overlap or are one range: "between 5 and 10", "two of the four"."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined:
            last = joined[-1]
            between = text[last[1] : start]
            ranged = _JOINT.fullmatch(between) and _RANGE_WORDS.match(text, last[0])
            if start < last[1] or ranged or _OF.fullmatch(between):
                joined[-1] = (last[0], max(end, last[1]))
                continue
        joined.append((start, end))
    return joined
