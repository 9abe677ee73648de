"""Words that turn a meaning round, in the languages that prompts are mostly written in."""

import re

from compressor.types import Kind, ProtectedSpan

_ENGLISH = (
    "not no never none nobody nothing nowhere neither nor without cannot unless except hardly "
    "barely scarcely rarely seldom dont doesnt didnt cant couldnt wont wouldnt shouldnt isnt arent "
    "wasnt werent hasnt havent hadnt aint lacks lacking non"
)
_GERMAN = (
    "nicht nichts nie niemals niemand niemandem niemanden nirgends nirgendwo kein keine keinen "
    "keinem keiner keines keinesfalls keineswegs ohne weder außer kaum nein"
)
_FRENCH = "ne pas jamais rien aucun aucune sans ni non nulle nullement guère sauf"
_SPANISH = "nunca jamás nada nadie ningún ninguno ninguna ningunos ningunas sin ni tampoco salvo"

_WORDS = "|".join(sorted(set(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH}".split()), reverse=True))
_SPACED = re.compile(
    rf"(?<!\w)(?:(?:{_WORDS})(?![\w'’])|[^\W\d_]{{0,12}}n['’]t(?!\w)|[nN]['’](?=\w)|"
    r"(?:[nN]e|[nN]['’])\s?\w{1,20}\s(?:plus|point|personne|que)(?!\w))",
    re.IGNORECASE,
)
# Chinese puts the negation before what it negates, Japanese after the stem of the verb: the span
# takes that neighbour in, since between unspaced units there is no other way to tell.
_HAN = r"[\u4e00-\u9fff]"
_CHINESE = re.compile(
    rf"(?:不(?!过|過|仅|僅|断|斷|同)|没有?|沒有?|[无無未勿]|非(?!常)|(?<![特区區个個告])别(?![的人])|"
    rf"禁止|并非){_HAN}{{0,2}}"
)
_JAPANESE = re.compile(
    r"[\u4e00-\u9fff]{0,2}[\u3041-\u3096]{0,2}?(?:ませんでした|ません|なかった|なければ|なくて|ない|"
    r"ずに|ざる|なし(?!で)|まい(?=[。、]))"
)


def negation_spans(text: str) -> list[ProtectedSpan]:
    """Return the negations of `text`: each stays exactly when what it negates stays."""
    spans = [_conditional(m) for m in _SPACED.finditer(text)]
    if not text.isascii():
        spans += [_conditional(m) for m in _JAPANESE.finditer(text)]
        spans += [_conditional(m) for m in _CHINESE.finditer(text)]
    return spans


def _conditional(match: re.Match[str]) -> ProtectedSpan:
    return ProtectedSpan(match.start(), match.end(), Kind.NEGATION, conditional=True)
