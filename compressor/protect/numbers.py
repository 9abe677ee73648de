"""Numbers with what gives them their meaning: sign, currency, unit, percent, date, time, range."""

import re

from compressor.types import Kind, ProtectedSpan

_MONTH = (
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
    r"[年月日時时分秒円元个個人名件台岁歳回度％%万萬億亿兆千百倍号號第歩枚本冊層階区年代世紀]{1,4}"
)
_NUMERAL = r"\d+(?:[.,:/’'·]\d+){0,8}[½⅓¼¾⅔]?"
_SUFFIX = r"(?:st|nd|rd|th|s|er|ère|e|º|ª)(?!\w)"
_ONE = rf"{_NUMERAL}(?:{_SUFFIX})?"
_AMOUNT = (
    rf"(?:[~≈<>≤≥±]\s?)?(?:(?<![\w.])[+\-−])?(?:{_CURRENCY}\s?)?{_ONE}"
    rf"(?:\s?(?:[-–—−~〜]|to|bis|à|a|±|×|x)\s?(?:{_CURRENCY}\s?)?{_ONE}(?!\w))?"
    rf"(?:[\s-]?{_SCALE}(?!\w))?(?:(?:[\s-]?(?:per\s)?{_UNIT}|/\w{{1,8}})(?!\w)|{_CJK_UNIT})?"
    r"(?:[年月]\d{1,2}[月日]?){0,2}"
)
_NUMBER = re.compile(
    rf"(?<!\w){_MONTH}\s\d{{1,2}}(?:{_SUFFIX})?(?:,?\s\d{{4}})?(?!\w)|"
    rf"(?<![\d.,])\d{{1,2}}(?:{_SUFFIX}|\.)?\s(?:of\s|de\s)?{_MONTH}(?:,?\s(?:de\s)?\d{{4}})?(?!\w)|"
    rf"(?<!\w){_MONTH}\s\d{{4}}(?!\w)|"
    rf"(?:(?<![A-Za-z\d_.,]){_AMOUNT})"
    r"|[½⅓¼¾⅔]"
)
_HAN_NUMBER = re.compile(
    r"[一二三四五六七八九十百千万億亿两兩零〇]{1,8}(?:年代|世紀|世纪|年|月|日|時|时|分|秒|円|元|人|個|个|"
    r"名|件|台|岁|歳|回|度|％|倍|次|名|座|条|位)"
)


def number_spans(text: str) -> list[ProtectedSpan]:
    """Return the numbers of `text`, each with its unit: it stays exactly when its clause stays."""
    spans = [_conditional(m) for m in _NUMBER.finditer(text)]
    if not text.isascii():
        spans += [_conditional(m) for m in _HAN_NUMBER.finditer(text)]
    return spans


def _conditional(match: re.Match[str]) -> ProtectedSpan:
    return ProtectedSpan(match.start(), match.end(), Kind.NUMBER, conditional=True)
