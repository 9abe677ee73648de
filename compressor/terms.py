"""What of a text can match a question: lower-case stems, or character pairs without spaces."""

import re

from compressor.words import UNSPACED

TERM = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")
_UNSPACED_CHAR = re.compile(f"[{UNSPACED}]")
_SUFFIX = re.compile(r"(?<=\w{3})(?:ations?|ments?|ings?|ie[sd]|ers?|ed|es|ly|s|e)$")

# Function words of the languages the detector of questions knows; they match everywhere.
_FUNCTION_WORDS_BY_LANGUAGE = """
    a an the of in on at to for from by with and or is are was were be been being it its this that
    these those as what which who whom whose when where why how do does did has have had not no but
    if than then so such can could will would should may might must there here he she they them his
    her their we our you your i me my about into over after before during between also both each
    any some all most more other
    der die das den dem des ein eine einen einem einer und oder ist sind war waren wird werden wurde
    in im auf an am zu zum zur von vom mit für bei aus nach was wer wie wo wann warum welche welcher
    welches nicht kein es sie er wir ihr hat haben hatte als auch
    le la les un une des du de et ou est sont était ont a au aux en dans sur pour par avec que qui
    quoi quel quelle quels quelles où quand comment pourquoi ne pas il elle ils elles ce cette ces
    el los las una unos unas del y o es son fue era con por para qué quién cuál cuáles dónde cuándo
    cómo se su sus no al lo
    の に は を が と で も か た る て な だ です ます した から まで より 的 了 是 在 和 有 吗 呢
    什么 哪 谁 多少
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_BY_LANGUAGE.split())

# Words about the prompt and its answer, which say little of what is asked.
_PROMPT_WORDS_BY_LANGUAGE = """
    answer answers question questions query document documents passage passages context text texts
    information provided following below above article articles paragraph paragraphs source sources
    excerpt excerpts snippet snippets chunk chunks content please summarize summarise summary
    explain describe list according based using use given give provide write tell say know short
    concise concisely brief briefly sentence sentences word words maximum helpful assistant
    retrieved pieces title titles cite detail details detailed only must relevant respond response
    reply support supports contain contains find mention mentioned
    antwort antworte beantworte frage fragen text texte dokument dokumente abschnitt kontext
    folgenden folgende obigen bitte zusammenfassung fasse zusammen erkläre nenne laut gemäß satz
    sätze kurz
    réponse réponds question questions texte document documents passage contexte suivant suivante
    résume résumé explique selon phrase phrases donne
    respuesta responde pregunta preguntas texto documento documentos contexto siguiente resume
    resumen explica según frase frases
"""


def terms(text: str) -> list[str]:
    """Return a text's terms in order: stems of its words, pairs of characters of the others."""
    found: list[str] = []
    for match in TERM.finditer(text.lower()):
        run = match.group()
        if not _UNSPACED_CHAR.match(run):
            found.append(run if run in FUNCTION_WORDS else _stem(run))
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def _stem(word: str) -> str:
    """Cut a common ending, so that `ended` meets `end`; the same for text and question."""
    return _SUFFIX.sub("", word)


PROMPT_TERMS = frozenset(terms(_PROMPT_WORDS_BY_LANGUAGE)) - FUNCTION_WORDS
