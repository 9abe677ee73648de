"""Sentences of a tool's description that say how the tool is to be used."""

import re
from collections.abc import Iterator, Sequence

from compressor.prompt_text import read_paragraphs
from compressor.types import Kind, ProtectedSpan

# By wording alone, and by less than in a message: a description is a prompt from end to end, and
# a model that does not read a rule calls the tool wrongly.
_RULE = re.compile(
    r"(?<![\w'’])(?:must|should|shall|can(?:no|['’])t|may (?:not|only)|ha(?:s|ve) to|needs? to|"
    r"recommended|never|always|only|unless|prefer(?:ably|red)?|avoid|instead|required|mandatory|"
    r"optional|defaults?|do(?:es)? not|don['’]t|make sure|ensure|before (?:you|call|us)ing|"
    r"muss|müssen|darf|dürfen|soll(?:en|te)?|nur|immer|nie(?:mals)?|nicht|standardmäßig|"
    r"doit|doivent|faut|toujours|jamais|seulement|uniquement|par défaut|"
    r"debe[ns]?|hay que|siempre|nunca|sólo|solo|por defecto)(?![\w'’])|"
    r"必须|必須|不要|不得|只能|请|默认|してください|しないで|必ず|のみ|省略|"
    r"\A\W{0,4}(?:if|when|whenever|for|use|pass|ask|call|wenn|falls|bei|si|cuando|如果|当)(?![\w'’])",
    re.IGNORECASE,
)


def tool_rules(text: str, blocks: Sequence[ProtectedSpan]) -> Iterator[ProtectedSpan]:
    """Yield the sentences that say how a tool is to be used; what blocks hold is none of them."""
    for paragraph in read_paragraphs(text, blocks):
        for sentence in paragraph.sentences:
            if sentence.strength > 1 or _RULE.search(sentence.text):
                yield ProtectedSpan(sentence.start, sentence.end, Kind.INSTRUCTION)
