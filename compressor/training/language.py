"""Guesses the language of a passage: by its script, and among Latin ones by function words."""

import re
from collections import Counter

_SCRIPTS = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("th", re.compile("[\u0e01-\u0e7f]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
)
_SCRIPT_SHARE = 0.1  # of a text's letters; Japanese is the first, as it has Han characters too
_FUNCTION_WORDS = {
    "en": "the of and to is that it was for on are with as this be have not they you which from",
    "de": "der die und das ist nicht den zu mit ein eine sich von auf dem für wird auch werden als",
    "fr": "le la les et des est une dans que pour qui pas sur du au plus par avec sont ce aux il "
    "elle je vous nous se ne un en de à mais son sa ses lui",
    "es": "el la los las que y en un una es por con para del se como más pero su al está",
    "pt": "o os que e do da em um uma é para com não dos das na no por mais ao são",
    "it": "il di che è un una per non del della con sono le gli nel alla dei anche più ha",
    "nl": "de het een en van is dat op te in niet zijn met voor aan er ook als wordt die",
}
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SHARE = 0.08  # of the words: less is a list, code or a language that is not here


def guess_language(text: str) -> str:
    """Return an ISO 639-1 code, empty where none is likely."""
    letters = sum(char.isalpha() for char in text)
    if not letters:
        return ""
    for code, script in _SCRIPTS:
        if len(script.findall(text)) >= _SCRIPT_SHARE * letters:
            return code
    words = Counter(word.lower() for word in _WORD.findall(text))
    # what several languages have says less
    shared = Counter(word for listed in _FUNCTION_WORDS.values() for word in set(listed.split()))
    scores = {
        code: sum(words[word] / shared[word] for word in set(listed.split()))
        for code, listed in _FUNCTION_WORDS.items()
    }
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= _LEAST_SHARE * words.total() else ""
