"""Short stretches inside prose: inline code, URLs, e-mails, paths, identifiers, quotes."""

import re
from collections.abc import Iterator

from compressor.protect.dates import begins_stamp
from compressor.types import Kind, ProtectedSpan

_FILE_TYPES = (
    "py|pyi|js|mjs|ts|tsx|jsx|json|jsonl|yaml|yml|toml|ini|cfg|conf|env|lock|md|rst|txt|csv|tsv|"
    "parquet|xml|html?|css|scss|java|kt|go|rs|rb|php|c|h|cc|cpp|hpp|cs|swift|sh|bash|ps1|bat|sql|"
    "db|sqlite|log|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|webp|mp[34]|wav|zip|tar|gz|tgz|whl|jar|"
    "so|dll|exe|bin|ipynb|proto|tf|vue|pem|crt|key|onnx|npz|pt|safetensors"
)
# What words are made of in scripts with spaces. Between Han or kana a URL, a path or a quote needs
# no space around it, so those are no letters here.
_W = (
    r"0-9A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u02ff\u0370-\u0dff\u10a0-\u10ff\u1e00-\u1fff\uac00-\ud7a3"
)
_UNSPACED = r"\u3041-\u30ff\u3400-\u9fff"
# A call with several arguments or a named one; a remark in brackets has words side by side.
_ARGUMENT = (
    r"(?:\*{0,2}\w{1,40}\s?=\s?)?(?:\"[^\"\n]{0,60}\"|'[^'\n]{0,60}'|"
    r"[\w.*&$\[\]:{}+/-]{1,40}|\((?:[\w.]{1,20},?\s?){0,6}\))"
)
_CALL = (
    rf"(?<![{_W}.])[A-Za-z_][A-Za-z0-9_.]{{0,60}}+\((?:\*{{0,2}}[A-Za-z_]\w{{0,40}}\s?=\s?[^\s,()]{{1,40}}|"
    rf"\"[^\"\n]{{0,60}}\"|'[^'\n]{{0,60}}'|{_ARGUMENT}(?:,\s?{_ARGUMENT}){{1,8}})\)"
)
_IN_TICKS = r"[^`\n]{1,300}(?:\n(?![ \t]*\n)[^`\n]{1,300})?"  # a wrapped line may end inside
# A place in a template that something is put in, and a tag that says what to do there.
_TEMPLATE = (
    r"\{\{(?:[^{}\n/]{1,60}|[/#]\w{1,30})\}\}|\{%[^{}%\n]{1,160}%\}|\$\{[A-Za-z_][\w.]{0,60}\}|"
    r"%\(\w{1,40}\)[sdfr](?!\w)"
)
_MOVE = r"(?:O-O(?:-O)?|[KQRBN]?[a-h]?[1-8]?x?[a-h][1-8](?:=[QRBN])?)[+#]?[!?]{0,2}"
_GAME = (  # of chess, three moves or more
    rf"(?<![{_W}.])\d{{1,3}}\.(?:\.\.)?[ ]?{_MOVE}(?:\s{{1,2}}(?:\d{{1,3}}\.(?:\.\.)?[ ]?)?{_MOVE}){{2,400}}(?![{_W}])"
)
# reStructuredText has roles before such code, and an underscore behind a link.
_CODE = (
    r"(?P<code>(?::[a-z][a-z:+-]{0,30}:(?=`))?"
    rf"(?:``{_IN_TICKS}``|`(?![\s`]){_IN_TICKS}(?<!\s)`(?:_{{1,2}}(?!\w))?)|"
    rf"{_TEMPLATE}|{_CALL}|{_GAME})"
)
_ADDRESS = r"[^\s<>\"'`{}|\\^\[\]\u3000-\u30ff\u3400-\u9fff\uff00-\uffef“”‘’„«»]"
# A link's target ends at its bracket; a segment in Han or kana where something else than text does.
_TARGET = r"(?<=\]\()https?://(?:[^\s()<>]|\([^\s()<>]{0,80}\)){1,2000}(?=[)\s])"
_UNSPACED_SEGMENTS = rf"(?:(?<=/)[{_UNSPACED}][{_UNSPACED}{_W}.%/~()-]{{0,80}}(?=[\s)>\"'|]|$))?"
_UNSPACED_HOST = rf"(?:[{_UNSPACED}{_W}-]{{1,40}}\.){{1,4}}[a-z]{{2,8}}(?![{_W}])/?"
_URL = (
    rf"(?P<url>{_TARGET}|(?<![A-Za-z])https?://(?=[^\s/.]{{0,40}}[{_UNSPACED}]){_UNSPACED_HOST}{_UNSPACED_SEGMENTS}|"
    r"(?<![A-Za-z])(?:https?|ftp|wss?|file|git|ssh|s3|gs|redis|postgres(?:ql)?|mysql|jdbc)"
    rf"://{_ADDRESS}{{1,4000}}{_UNSPACED_SEGMENTS}"
    rf"|(?<![{_W}.])www\.[{_W}-]{{1,63}}\.{_ADDRESS}{{1,2000}}"
    rf"|(?<![{_W}.+-])[A-Za-z0-9][{_W}.+-]{{0,63}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,6}}"
    rf"|(?<![{_W}.@-])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:com|org|net|io|dev|edu|gov|ai|co|de|fr|es|jp|cn|uk|eu)"
    rf"(?:/[{_W}./?=&%#~-]{{0,300}})?(?![{_W}-])"
    rf"|(?<![{_W}./-])10\.\d{{4,9}}/{_ADDRESS}{{1,120}})"  # a DOI
)
# One folder or file. It may have a name in Han or kana, but then it begins with it: what follows
# `app.log` without a space is text.
_NAME = rf"(?:[{_W}.@%+~{{}}:*-]{{1,100}}+|[{_UNSPACED}][{_UNSPACED}{_W}.@%+~-]{{0,60}}+)"
_PATH = (
    rf"(?P<path>(?<![{_W}/.:])(?:~|\.{{1,2}})/(?:{_NAME}/?){{1,20}}"
    rf"|(?<![{_W}/.<])/[{_W}.@%+~-]{{1,100}}/(?:{_NAME}/?){{0,20}}"
    rf"|(?<![{_W}/.:<])/[{_UNSPACED}]{{1,40}}/(?:{_NAME}/?){{0,20}}"
    rf"|(?<![{_W}])[A-Za-z]:/(?!/)(?:{_NAME}/?){{1,20}}"
    rf"|(?<![^\s(\[\"'])\.[a-z][a-z0-9_-]{{1,40}}(?:\.[A-Za-z0-9_-]{{1,30}}){{0,3}}(?![{_W}/(])"  # .env
    rf"|(?<![{_W}])[A-Za-z]:\\[^\s:*?\"<>|]{{1,260}}|\\\\[{_W}.-]{{1,80}}\\[^\s:*?\"<>|]{{1,260}}"
    rf"|(?<![{_W}%])%[A-Z][A-Z0-9_]{{1,30}}%(?:\\[^\s:*?\"<>|]{{1,260}})?"
    rf"|(?<![{_W}$])\$[A-Z_][A-Z0-9_]{{1,40}}/(?:{_NAME}/?){{1,20}}"
    rf"|(?<![{_W}.\\])\.{{1,2}}\\[{_W}.][^\s:*?\"<>|]{{0,259}}"
    rf"|(?<![{_W}.\\-])[{_W}.-]{{1,80}}(?:\\[{_W}.@-]{{1,80}}){{1,20}}"
    rf"\.(?:{_FILE_TYPES})(?![{_W}\\])"
    rf"|(?<![{_W}/.-])[{_W}.@-]{{1,80}}(?:/[{_W}.@-]{{1,80}}){{1,20}}(?:/|(?<=\.)(?=\b)|\.(?:{_FILE_TYPES}))?"
    rf"(?<=[{_W}/])(?![{_W}/])"
    rf"|(?<![{_W}/.-])[{_W}-]{{1,80}}(?:\.[{_W}-]{{1,40}}){{0,3}}\.(?:{_FILE_TYPES})(?![{_W}/])"
    rf"|[{_UNSPACED}]{{1,20}}(?:/[{_UNSPACED}{_W}.-]{{1,60}}){{1,20}}\.(?:{_FILE_TYPES})(?![{_W}/]))"
)
# Account and book numbers are written in groups, which are no numbers by themselves.
_IBAN = (
    r"[A-Z]{2}\d{2}[ \u00a0][A-Z0-9]{4}(?:[ \u00a0](?=[A-Z]{0,3}\d)[A-Z0-9]{4}){2,7}"
    r"(?:[ \u00a0](?=[A-Z]{0,2}\d)[A-Z0-9]{1,3})?"
)
_ISBN = (
    r"(?:ISBN(?:-1[03])?:?[ \u00a0](?:97[89][- ])?\d{1,5}[- ]\d{1,7}[- ]\d{1,7}[- ][\dX]"
    r"|97[89](?P<gap>[- ])\d{1,5}(?P=gap)\d{1,7}(?P=gap)\d{1,7}(?P=gap)\d"
    r"|(?=(?:\d-?){9}[\dX](?![\w-]))\d{1,5}-\d{1,7}-\d{1,7}-[\dX])"
)
_TELEPHONE = (
    r"(?:\+(?=(?:\D{0,3}\d){7})\d{1,3}(?:[ \u00a0./-]{0,2}\(?\d{1,5}\)?){2,7}"
    r"|\(\d{2,5}\)[ \u00a0-]?\d{3,5}[ \u00a0-]\d{3,5}"
    r"|0[1-9]\d{1,3}[ \u00a0/]{1,3}[1-9]\d{5,7}(?![ \u00a0]\d)"  # dialled from inside the country
    r"|0[1-9]\d{0,3}[ \u00a0][1-9]\d{2,3}[ \u00a0]\d{3,4}(?![ \u00a0]?\d)"
    r"|0[1-9](?:[ \u00a0.]\d\d){4}(?![ \u00a0]?\d))"
)
_IPV6 = (
    r"(?=[0-9A-Fa-f:]{0,40}\d)(?=[0-9A-Fa-f:]{0,40}::|(?:[0-9A-Fa-f]{1,4}:){7})"
    r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:/\d{1,3}|%\w{1,15})?"
)
# A date in digits is none of these: where it stands decides whether it stays.
_HYPHENED = r"(?!\d\d?-\d\d?-\d{4}(?![\d-]))\d{1,6}(?:-\d{2,6}){1,5}-\d{3,6}"
# Post codes of two groups, numbers of substances, sort codes, cases and variants of genes.
_CODED = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d|\d{2,7}-\d\d-\d|\d\d-\d\d-\d\d"
    r"|ECLI:[A-Z]{2}:[A-Z0-9]{1,7}:\d{4}:[A-Z0-9.]{0,24}[A-Z0-9]"
    r"|[cgmn]\.[-*]?\d{1,9}(?:[_+-]\d{1,9}){0,3}(?:[ACGT]>[ACGT]|(?:del|dup|ins|inv)[ACGT]{0,20}))"
)
_ELEMENTS = r"(?:[A-Z][a-z]?\d{0,3})"
# Ca(OH)2, [Cu(NH3)4]2+, SO4^2-: what has neither brackets nor a charge is one word anyway.
_CHEMICAL = (
    rf"(?:\[(?=[^\]\s]{{0,30}}\d)(?:{_ELEMENTS}|\({_ELEMENTS}{{1,8}}\)\d{{0,3}}){{1,10}}\]\d{{0,2}}[+−-]?"
    rf"|{_ELEMENTS}{{0,8}}(?:\({_ELEMENTS}{{1,8}}\)\d{{1,3}}{_ELEMENTS}{{0,4}}){{1,4}}"
    rf"|{_ELEMENTS}{{1,8}}(?:\^\d[+−-]|(?<=\d)[+−-]))"
)
_MENTION = r"<[@#!][A-Za-z0-9^]{2,60}(?:\|[^<>|\n]{0,60})?>"  # as Slack writes them
_IDENTIFIER = (
    rf"(?P<identifier>(?<![{_W}-])(?:{_IBAN}|{_ISBN}|{_TELEPHONE}|{_IPV6}|{_CODED}|{_HYPHENED}|{_CHEMICAL}|{_MENTION}|"
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
    r"|[A-Za-z][\w.-]{0,60}(?:\[[\w,-]{1,40}\])?(?:[=~!]=|[<>]=)\d[\w.*]{0,30}(?<!\.)"  # a pinned package
    r"|0x[0-9A-Fa-f]{1,64}|(?=[a-f]{0,63}[0-9])(?=[0-9]{0,63}[a-f])[0-9a-f]{7,64}"
    r"|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?"
    r"|[vV]\d{1,6}(?:\.\d{1,6}){0,4}(?:[-+][0-9A-Za-z.]{1,40})?"
    r"|\d{1,6}(?:\.\d{1,6}){2,4}(?:[-+.]?(?:alpha|beta|a|b|rc|dev|post)[0-9A-Za-z.]{0,20})?"
    r"|[A-Za-z]{1,12}(?:-[A-Z0-9]{1,12}){0,4}-?\d[A-Z0-9]{0,20}(?:-[A-Z0-9]{1,12}){0,4}"
    r"|[A-Za-z]?\d{1,12}[A-Z]{1,6}\d[A-Z0-9]{0,20}"
    r"|\d{7,40}"
    r"|[A-Za-z_][A-Za-z0-9]{0,60}(?:_{1,2}[A-Za-z0-9]{1,60}){1,12}(?:\(\))?|__[A-Za-z0-9_]{1,60}__"
    r"|(?!(?:Mc|Mac|De|Di|La|Le|Van|Fitz)[A-Z])[A-Z]?[a-z]{1,30}(?:[A-Z][a-z0-9]{1,30}){1,8}"
    rf"(?:[A-Z]{{1,6}})?(?:\.[A-Za-z_][{_W}]{{0,60}}){{0,6}}(?:\(\))?(?<!PhD)(?!['’]t)"
    rf"|[A-Za-z_][{_W}]{{0,60}}(?:(?:\.|::|->)[A-Za-z_][{_W}]{{0,60}}){{0,6}}\(\)"
    rf"|[A-Za-z_][{_W}]{{1,60}}(?:::[A-Za-z_][{_W}]{{0,60}}){{1,6}}"
    r"|[a-z_]{2,60}(?:\.[a-z_]{2,60}){1,6}"
    rf")(?![{_W}-])|(?<![{_W}-])--[A-Za-z][{_W}-]{{0,60}}(?:=[^\s,;)]{{1,100}})?|(?<![{_W}-])-[A-Za-z](?![{_W}-])"
    rf"|(?<![{_W}&#])#\d{{1,12}}(?![{_W}])|(?<![{_W}])\$\{{?[A-Z_][A-Z0-9_]{{1,60}}\}}?)"
)
_QUOTE = rf"(?P<quote>(?<![{_W}'])'(?=[^\s'])[^'\n]{{1,60}}(?<=[^\s'])'(?![{_W}']))"
# A lower-case word, or what is left of one, with a space behind it begins none of them. In prose
# this passes over nearly everything, before any of the many alternatives is tried.
_PLAIN = r"[A-Z]?[a-z]*+[.;:!?]?[\s,]"
_INLINE = re.compile(
    rf"(?!{_PLAIN})(?:" + "|".join((_CODE, _URL, _QUOTE, _PATH, _IDENTIFIER)) + ")"
)

_KIND = {
    "code": Kind.CODE,
    "url": Kind.URL,
    "quote": Kind.QUOTE,
    "path": Kind.PATH,
    "identifier": Kind.IDENTIFIER,
}
_TRAILING = ".,;:!?*'’"
_DIGITS = re.compile(r"\d+")
_SHORT_DATE = re.compile(r"\d{1,4}(?P<sign>[.-])\d{1,2}(?P=sign)\d{1,4}")
_LINK_TEXT = re.compile(r"\|[^<>|\n]{1,200}>")
_SLASHED_NUMBER = re.compile(  # a network, a telephone number
    rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}/\d{{1,2}}|0[1-9]\d{{1,3}}/[1-9]\d{{5,7}})(?![{_W}-])"
)
_SLASHED_WORDS = re.compile(r"[^\W\d_]{1,20}(?:/[^\W\d_]{1,20}){1,3}")


def inline_spans(text: str) -> Iterator[ProtectedSpan]:
    """Yield the stretches inside prose that stay byte for byte, in one pass, ascending."""
    for match in _INLINE.finditer(text):
        name = match.lastgroup
        if name is None:
            continue
        start, end = match.span()
        kind = _KIND[name]
        if kind in (Kind.URL, Kind.PATH):
            end = _trimmed(text, start, end)
        if kind is Kind.URL:
            start, end = _with_brackets(text, start, end)
        dated = kind is Kind.IDENTIFIER and _SHORT_DATE.fullmatch(text, start, end)
        if dated and begins_stamp(text, start, end):
            continue
        if kind is Kind.PATH and not _is_path(text[start:end]):
            if not _SLASHED_NUMBER.fullmatch(text, start, end):
                continue
            kind = Kind.IDENTIFIER
        if end > start:
            yield ProtectedSpan(start, end, kind)


def forced_spans(text: str, force_tokens: tuple[str, ...]) -> Iterator[ProtectedSpan]:
    """Yield where the configured words and phrases occur; inside a longer word does not count.

    Between the words of a phrase any white space will do.
    """
    for token in force_tokens:
        words = token.split()
        if not words:
            continue
        before = r"(?<!\w)" if _is_letter(words[0][0]) else ""
        after = r"(?!\w)" if _is_letter(words[-1][-1]) else ""
        phrase = r"\s+".join(map(re.escape, words))
        for match in re.finditer(before + phrase + after, text):
            yield ProtectedSpan(match.start(), match.end(), Kind.FORCED)


def digit_spans(text: str) -> Iterator[ProtectedSpan]:
    """Yield all digits as forced: the words they are in stay (LLMLingua's force_reserve_digit)."""
    for match in _DIGITS.finditer(text):
        yield ProtectedSpan(match.start(), match.end(), Kind.FORCED)


def _trimmed(text: str, start: int, end: int) -> int:
    """Leave off sentence punctuation and a bracket that opened before the URL or path."""
    while end > start:
        last = text[end - 1]
        unopened = last in ")}" and text.count("({"[last == "}"], start, end) < text.count(
            last, start, end
        )
        if last not in _TRAILING and not unopened:
            break
        end -= 1
    return end


def _with_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in the angle brackets around an address, and the text of one of Slack's links."""
    opening = next((mark for mark in ("<", "<mailto:") if text.endswith(mark, 0, start)), "")
    if not opening:
        return start, end
    if text.startswith(">", end):
        return start - len(opening), end + 1
    shown = _LINK_TEXT.match(text, end)
    return (start - len(opening), shown.end()) if shown else (start, end)


def _is_path(path: str) -> bool:
    """Tell a path from words with a slash between (and/or, km/h, 3/4)."""
    if path.startswith(("/", "~", ".", "\\")) or "\\" in path or "/" not in path:
        return True
    if _SLASHED_WORDS.fullmatch(path):
        return path.count("/") > 2
    return not path.replace("/", "").replace(".", "").isdigit()


def _is_letter(char: str) -> bool:
    # between letters of scripts without spaces there is no word boundary to ask for
    return char.isalnum() and char < "\u0e00"
