"""Where in a message its documents stand, by its tags, labels, rules and the headers of e-mails."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from compressor.case_folding import fold_case
from compressor.prompt_cues import QUESTION_LABEL, SECTION_LABEL
from compressor.prompt_text import Paragraph

_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,40})(?:[ \t][^<>\n]{0,200})?>")
_ASKING = re.compile(
    r"^(?:user|human|customer)$|question|query|tasks?$|instruct|rules?|prompt|request|goal|objective|guideline|constraint|"
    r"requirement|format|role|persona|tone|style|criteria|system|steps?$|todo|scale|schema|"
    r"deliverable|boundar|categor|taxonom|identity|output|frage|aufgabe|auftrag|anweisung|regeln|vorgabe|"
    r"rolle|consigne|tâche|règle|rôle|contrainte|pregunta|tarea|instrucci|reglas|pergunta|domanda|"
    r"compito|instruções|istruzion|vraag|opdracht|pytani|zadani|вопрос|задани|soru|câu hỏi|السؤال|प्रश्न|질문|質問|指示|問題|制約|条件|命令|役割|ルール|形式|问题|要求|任务|限制|角色|目标|规则|输出|格式",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"context|document|docs?$|text|passage|article|transcript|e-?mail|message|conversation|chat|history|logs?$|"
    r"input|source|excerpt|extract|snippet|knowledge|content|data|wiki|thread|notes?$|reviews?|result|"
    r"observation|material|memory|reference|page|post|report|story|evidence|chunk|file|ticket|issue|"
    r"example|answer|minutes$|memo|invoice|contract|agreement|policy|manual|faq|essay|letter|poem|paragraph|"
    r"profile|background|comment|menu|rubric|recipe|premise|hypothesis|protokoll|bericht|brief$|rechnung|kommentar|"
    r"commentaire|lettre|facture|compte|acta|carta|factura|informe|comentario|lettera|fattura|commenti|"
    r"relatório|comentário|議事録|手紙|评论|合同|dokument|auszug|auszüge|artikel|vertrag|satzung|texte|extrait|contexte|règlement|"
    r"texto|documento|contexto|contrato|testo|contesto|regolamento|verbale|informatie|fragment|kontekst|текст|контекст|отрывок|metin|bağlam|đoạn|ngữ cảnh|văn bản|النص|نص|السياق|"
    r"अनुच्छेद|संदर्भ|본문|문맥|내용|자료|文|資料|記事|規定|上下文|资料|通知|"
    r"知识库|材料|采访|内容",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:#{1,6}[ \t]+)?[\[(<*_]{0,3}([^\W\d_][^\n:：.!?。？]{0,60}?(?:[ \t]?[#\d]{1,4})?)"
    r"[*_]{0,2}[\])>]{0,2}(?:[ \t]*[:：][*_]{0,2}|(?<=[\])>*_]))?[ \t]*$"
)
_NUMBERED = re.compile(r"[\[(]?(?:[^\W\d_]{1,12}[ \t]?)?\d{1,3}[\])]?[.:)]?(?:[ \t]+\(.{1,30}\))?$")
_HEADER = re.compile(
    r"(?:from|to|cc|subject|date|sent|von|an|betreff|gesendet|de|à|objet|para|asunto|assunto|da|"
    r"oggetto|差出人|宛先|件名|发件人|收件人|主题)[ \t]?[:：][ \t]*\S",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"-{3,} ?(?:forwarded|original)|^(?:on|am|le|el|il|em) .{6,80}"
    r"(?:wrote|schrieb.{0,40}|a écrit|escribió|ha scritto|escreveu) ?:",
    re.IGNORECASE | re.MULTILINE,
)
_END = re.compile(r"\b(?:end|ende|fin|fine|fim)\b", re.IGNORECASE)
_START = re.compile(r"\b(?:start|begin)\b", re.IGNORECASE)
_LABEL_WORDS = 6


@dataclass(slots=True)
class Place:
    """What surrounds a paragraph.

    `tag` and `label`: "data", "asks" or "other" by the tag around it and by the last label above
    it, else empty. `marked`: whether a tag or rule stands directly before or after it. `mail`:
    whether it stands below the headers of an e-mail. `quoted`: between two rules or quotation marks
    alike. `titled`: whether it is such a label itself. `zone`: counts the labels, tags and rules
    up to here.
    """

    tag: str = ""
    label: str = ""
    marked_before: bool = False
    marked_after: bool = False
    mail: bool = False
    quoted: bool = False
    titled: bool = False
    zone: int = 0


def places(text: str, paragraphs: Sequence[Paragraph]) -> list[Place]:
    """Return the surroundings of each paragraph, in the paragraphs' order."""
    found = []
    tags = _Tags(text)
    within = {i for a, b in _fences(text, paragraphs) for i in range(a + 1, b)}
    label = ""
    mail = False
    zone = 0
    for i, paragraph in enumerate(paragraphs):
        body = text[paragraph.start : paragraph.end].strip()
        fenced = i in within
        titled = False
        if paragraph.mark and not fenced:
            label = _named(body)
            zone += 1
        elif not fenced:
            lines = body.split("\n", 3)
            mail = mail or _starts_mail(body, lines)
            kind = _label(lines[0])
            titled = kind != "" and len(lines) == 1
            label = kind or label
            zone += kind != ""
        place = Place(tags.around(paragraph.start), "data" if fenced else label)
        place.mail, place.quoted, place.titled, place.zone = mail, fenced, titled, zone
        place.marked_before = i > 0 and paragraphs[i - 1].mark
        place.marked_after = i + 1 < len(paragraphs) and paragraphs[i + 1].mark
        found.append(place)
    return found


def _fences(text: str, paragraphs: Sequence[Paragraph]) -> list[tuple[int, int]]:
    """Return the pairs of rules that set off a document, by the numbers of their paragraphs.

    Such are triple quotation marks, rules with START and END in them, the first rule after a label
    and the next one alike, and two rules alike with most of the message between them.
    """
    found = []
    marks = [(i, text[p.start : p.end].strip()) for i, p in enumerate(paragraphs) if p.mark]
    alike = Counter(body for _, body in marks)
    last = {body: paragraphs[i].start for i, body in marks}
    opened: tuple[int, str] | None = None
    for i, body in marks:
        if opened is not None:
            named = _END.search(body) is not None
            if body == opened[1] or (named and opened[1] == ""):
                found.append((opened[0], i))
                opened = None
        elif not body.startswith("<"):
            most = alike[body] == 2 and 2 * (last[body] - paragraphs[i].end) > len(text)
            above = paragraphs[i - 1] if i and alike[body] > 1 else None
            line = text[above.start : above.end].strip().rsplit("\n", 1)[-1] if above else ""
            if most or _always_fences(body) or (line and _label(line) == "data"):
                opened = (i, "" if _START.search(body) else body)
    return found


def _always_fences(body: str) -> bool:
    return body in ('"""', "'''") or _START.search(body) is not None


class _Tags:
    """The tags that are closed, walked from the text's start."""

    def __init__(self, text: str) -> None:
        self._tags = _tagged(text)
        self._next = 0
        self._open: list[tuple[int, str]] = []

    def around(self, at: int) -> str:
        """Return what the innermost tag around an offset is named for; offsets must ascend."""
        while self._next < len(self._tags) and self._tags[self._next][0] <= at:
            self._open.append(self._tags[self._next][1:])
            self._next += 1
        while self._open and self._open[-1][0] <= at:
            self._open.pop()
        return self._open[-1][1] if self._open else ""


def _starts_mail(body: str, lines: list[str]) -> bool:
    headers = sum(_HEADER.match(line) is not None for line in lines)
    return headers >= 2 or _FORWARDED.search(body[:400]) is not None


def _label(line: str) -> str:
    """Return whether a line that is a label leads into data or into what is asked."""
    folded = fold_case(line)
    if SECTION_LABEL.match(folded) or QUESTION_LABEL.match(folded):
        return "asks"
    match = _LABEL.match(line)
    if match is None:
        return "data" if _NUMBERED.match(line) and len(line) < 40 else ""
    ends_open = line.rstrip("*_ \t").endswith((":", "：", "]", ")", ">"))
    marked = line.startswith(("#", "**", "__", "["))
    if not (ends_open or marked or match[1].isupper()) or len(match[1].split()) > _LABEL_WORDS:
        return ""
    return _kind(match[1])


def _named(mark: str) -> str:
    """Return what a rule with a name in it leads into: "--- START OF TEXT ---"."""
    name = mark.strip("-=*~#<>/[]_ \t\"'")
    if not name or mark.startswith(("<", "[")) or _END.search(name):
        return ""
    return "asks" if _ASKING.search(name) else "data"


def _kind(name: str) -> str:
    if _ASKING.search(name):
        return "asks"
    return "data" if _DATA.search(name) else "other"


def _tagged(text: str) -> list[tuple[int, int, str]]:
    """Return where tags that are closed open, where they close, and what their name says."""
    found = []
    opened: dict[str, list[int]] = {}
    for tag in _TAG.finditer(text):
        closes, name = tag[1] != "", tag[2].lower()
        inside = text[tag.end(2) : tag.end() - 1].strip().lower()
        if inside and name in ("begin", "start", "end"):  # <BEGIN CONVERSATION>
            closes, name = name == "end", inside
        if not closes:
            opened.setdefault(name, []).append(tag.start())
        elif opened.get(name):
            found.append((opened[name].pop(), tag.end(), _kind(name)))
    return sorted(found)
