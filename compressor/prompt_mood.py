"""Who speaks to whom in a sentence, by closed classes of words: mood, person, polite forms.

An imperative is told by its shape and not by its verb: a first word that is no function word,
before an article, a pronoun or a number ("Rinse the beans", "Prüfen Sie", "Relevez tous"). The
lists hold function words, which a language has few of. All patterns are in lower case and for text
that is (`fold_case`).
"""

import re
from typing import NamedTuple

from compressor.prompt_languages import OTHER_FIRST, OTHER_OUTPUT, OTHER_SECOND, is_other_script

_NOT_FIRST = """
    about above across after against along although among and another any around as at because
    before behind below beneath beside besides between beyond both but by concerning considering
    despite does did do during each either even every everything except few following for from
    given had half has have he her here his how however i if in including inside instead into is
    its it just less like many meanwhile mine minus more most much my near neither no nobody none
    nor not nothing of off on once one only onto opposite or other our outside over past per
    perhaps plus quite rather regarding same several she should since so some soon still such
    than that the their them then there these they this those though through throughout thus till
    to today together toward towards two three four five ten under underneath unlike until up upon
    very via was we were what whatever when whenever where whereas wherever whether which while
    who whom whose why will with within without would yet you your are be been can could may might
    must shall yesterday tomorrow almost maybe later
    ab aber alle allein als also am an auch auf aus bei beide bereits bevor bis da dabei dadurch
    dafür damit danach dann daran darauf darum das dass davon dazu dem den denn der des deshalb die
    dies diese diesem diesen dieser dieses doch dort durch ein eine einem einen einer eines er erst
    es etwa etwas für gegen gegenüber hat hatte hier hinter ich ihr ihre im immer in ins ist jede
    jeder jedes jedoch jetzt kein keine laut man manche mehr mein meine mit nach nachdem neben nicht
    noch nun nur ob obwohl oder ohne schon sein seine seit sich sie sind so sobald solche sondern
    sowie statt trotz über um und uns unser unter viele vom von vor während wann war waren warum was
    weder wegen weil wenn wer wie wieder wir wird wo wurde wurden zu zum zur zwar zwischen zwei drei
    à afin ainsi alors après au aussi autour aux avant avec car ce cela celle celui ces cet cette
    chaque chez comme comment contre dans de depuis dès derrière des deux devant donc dont du elle
    elles en encore entre envers est et était été eu eux grâce hors il ils jusque la laquelle le
    lequel les leur leurs lors lorsque lui mais malgré même mes mon ne ni nos notre nous on ont or ou
    où outre par parce parmi pas pendant peu plus plusieurs pour pourquoi pourtant près puis puisque
    quand que quel quelle quelles quelque quels qui quoi sa sans sauf se selon sera ses si sinon son
    sont sous sur tandis tant tous tout toute toutes trois très un une vers voici voilà votre vous
    y soit certes
    a al algunos algunas ante antes apenas aquel aquella así aún aunque bajo cada casi como con
    contra cual cuál cuando cuándo cuanto de del desde después donde dónde dos durante e él el ella
    ellos en entonces entre era eran es esa ese eso esta está están este esto fue fueron gracias ha
    hace hacia han hasta hay incluso la las le les lo los luego mas más me mediante mi mientras mucho
    muy nada ni ningún no nos nosotros nuestra nuestro o otra otro para pero poco por porque pues que
    qué quien quién se según ser si sí siempre sin sino sobre solo son su sus también tampoco tanto
    te tiene toda todas todavía todo todos tras tres tu un una unas unos y ya yo
    ai agli al alla alle allo anche ancora appena avanti c che chi ci ciascuno col come con contro
    così cui da dagli dai dal dalla dalle davanti degli dei del della delle dello dentro di dietro
    dopo dove due dunque durante ed era erano essere fino fra già gli hanno i il in infatti invece io
    l la le lei li lo loro lui ma me mentre mio molto ne nei nel nella nelle negli nessuno noi non
    nostra nostro o ogni oltre per perché perciò però più poi prima può qual quale quali qualche
    quando quanto quasi quei quel quella quelle quello questa queste questi questo qui quindi
    secondo se sei senza si sia siamo sono sopra sotto sta stato su sua sue sugli sul sulla sulle suo
    tra tre tutta tutte tutti tutto un una uno verso vi
    ao aos as às até com como contudo da das de dele depois do dos e ela elas ele eles em embora
    enquanto entre era essa esse esta está este eu foi foram há isso isto já lhe mais mas meu minha
    muito na nas nem no nos nós num numa o onde os ou para pela pelas pelo pelos pois por porém
    porque qual quando quanto quase que quem são se sem sempre ser seu seus sob sobre sua suas
    também tão tem têm toda todas todo todos tudo um uma umas uns
    """
_OPENER = "|".join(_NOT_FIRST.split())
_OBJECT = (
    r"the|a|an|this|these|those|that|all|any|every|each|my|our|your|its|his|her|their|it|them|me|us|"
    r"no|only|exactly|both|one|two|three|four|five|\d+|how|what|why|whether|at_least|at_most|"
    r"sie|mir|uns|bitte|den|die|das|dem|der|ein|eine|einen|einem|alle|allen|diesen|diese|dieses|"
    r"daraus|dazu|jede[nsr]?|nur|höchstens|kurz|mindestens|keine?n?|niemals|nie|euch|dich|nicht|"
    r"le|la|les|un|une|des|du|moi|nous|ce|cet|cette|ces|tous|toutes|chaque|votre|vos|ton|ta|tes|mon|"
    r"ma|mes|l['’]\w+|d['’]\w+|"
    r"el|los|las|lo|una|uno|unos|unas|este|esta|estos|estas|esto|todos|todas|todo|toda|cada|solo|"
    r"sólo|mi|tu|su|tus|sus|dos|tres|"
    r"il|i|gli|uno|questo|questa|questi|queste|tutti|tutte|tutto|ogni|solo|soltanto|il_tuo|"
    r"o|os|as|um|uma|uns|umas|estes|apenas|só|seu|sua|quatro|cinco"
).replace("_", " ")
_POLITE = (
    r"(?:(?:please|kindly|now|then|next|first|finally|also|and|always|bitte|nun|dann|danach|puis|"
    r"ensuite|enfin|por favor|ahora|luego|per favore|poi|agora|depois)[,:]?[ \t]+){0,3}"
)
# "No" before a verb of "tú": by its object, as "no" and a noun begin titles in English.
_NO_IN_SPANISH = (
    r"no (?:(?:me|nos|le|les|lo|la|los|las|te|se) )?[^\W\d_]{2,12}(?:as|es|áis|éis)[ ]"
    r"(?:(?:el|los|las|lo|un|una|unos|unas|nada|todo|toda|todos|todas|más|ni|sino|ningún|ninguna|este|esta|esto|estos|estas)\b)"
)
IMPERATIVE = re.compile(
    rf"{_POLITE}(?!(?:{_OPENER})\b)(?!\w+(?:ing|ed|ly|ment)\b)[^\W\d_]{{2,20}}"
    rf"(?:[ \t](?:out|up|down|off|in|on|back))?(?:-(?:moi|nous|le|la|les))?[ \t]+(?:{_OBJECT})(?![\w'’])|"
    rf"{_NO_IN_SPANISH}|"
    rf"{_POLITE}(?:do not|don['’]t|never|always|ne|não)[ \t](?!(?:{_OPENER})\b)[^\W\d_]{{3,}}|"
    r"[^\W\d_]{2,20}ez\b[ \t]|(?:[^\W\d_]{2,14}(?:mi|me|ci|melo|mela|lo))[ \t](?:un|una|uno|le|i|el|la)\b",
)
IMPERATIVE_CJK = re.compile(
    r"(?:て|で|こと|ください|下さい|くれ|ほしい|欲しい|もらえ(?:る|ます)か|願います|願いいたします|せよ|なさい|"
    r"たい(?:です)?|まとめ|のみ|助かります|嬉しいです|幸いです)[。．！!]?$|^(?:请|請|帮|麻烦|给我|给出|用|把|将|按|列|写|翻译|翻成|总结|概括|"
    r"提取|找出|指出|改|只|不要|不得|回答|说明|生成|整理|分析|比较|判断|挑|算)"
)
FIRST_PERSON = re.compile(
    r"\b(?:i|i['’](?:m|d|ve|ll)|we|we['’](?:re|d|ve|ll)|me|us|my|our|ich|mir|mich|mein\w{0,2}|wir|uns|"
    r"unser\w{0,2}|je|j['’]\w+|moi|mon|ma|mes|nous|notre|nos|yo|mí|mi|mis|nos|nosotros|nuestr[oa]s?|"
    r"io|mio|mia|noi|nostr[oaie]|eu|meu|minha|nós|nosso|nossa)\b|私|僕|わたし|我们?|咱",
)
SECOND_PERSON = re.compile(
    r"\b(?:you|your|yours|you['’](?:re|d|ve|ll)|du|dir|dich|dein\w{0,2}|ihnen|tu|te|toi|ton|ta|tes|vous|"
    r"votre|vos|tú|usted|ustedes|ti|contigo|voi|vostr[oaie]|você|vocês|teu|tua)\b|[a-zäöü] sie\b|"
    r"あなた|お客様|你|您",
)
# "It would be great if", "could you", "J'aurais besoin de": what is wanted, said round about.
WISH = re.compile(
    r"\b(?:(?:could|would|can|will) you|would (?:be|like|love|appreciate|help)|(?:i|it|that)['’]d|appreciated?|grateful|"
    r"wonder(?:ing)?|ideally|pls|plz|need(?:ed)?|wants?|wish|hope|interested in|curious|looking for|instead|please|thanks|"
    r"könn(?:t|te|test|ten|en)|würde\w{0,2}|möchte|hätte|brauche|bräuchte|bitte|gern|wäre|danke|wünsche|"
    r"pou(?:vez|rriez|rrais)|peux|voudrais|aimerais|aurais|besoin|souhait\w+|merci|stp|"
    r"podr[ií]as?|puedes?|quisiera|quiero|gustaría|necesito|gracias|agradecería|haz\w*|porfa|"
    r"potresti|potrebbe|puoi|vorrei|bisogno|grazie|mi serv\w+|piacerebbe|"
    r"poderia|pode|gostava|gostaria|queria|quero|preciso|obrigad[oa]|agradeço|graag)\b|"
    r"いただけ|頂け|もらえ|お願い|知りたい|教え|ほしい|欲しい|助かり|嬉しい|幸い|想知道|希望|想要|需要|麻烦|能不能|可以.{0,12}吗|谢谢",
)
# A question that asks somebody to do something, and not what is so.
REQUEST = re.compile(
    r"(?:(?:hi|hello|hey|so|and|also|ok(?:ay)?|please)[,:]?[ ]){0,2}(?:(?:can|could|would|will|may|might) (?:you|u|i (?:have|get|ask)|we (?:have|get))|"
    r"mind |any chance|is it possible|would it be possible|is there (?:a|any) (?:way|chance)|"
    r"(?:kannst|könntest|würdest) du|(?:können|könnten|würden) sie|pou(?:vez|rriez)-vous|(?:peux|pourrais)-tu|"
    r"[¿]?(?:me |nos )?(?:puedes?|podr[ií]as?)|(?:puoi|potresti|può|potrebbe|mi )|(?:pode|podes|poderias?|consegues?) |"
    r"(?:kun|kunt|wil|wilt|zou|zouden) (?:je|jij|u|jullie)\b|czy (?:mógłbyś|mogłabyś|możesz)|tu peu[xt]? )",
)
# What is asked for, as a noun: "Spanish version", "one-line summary".
OUTPUT = re.compile(
    r"\b(?:summar(?:y|ies)|tl;?dr|gist|versions?|translation|list|table|bullets?|bullet points?|answers?|"
    r"repl(?:y|ies)|response|drafts?|outline|headlines?|titles?|json|yaml|csv|xml|markdown|html|words?|"
    r"sentences?|paragraphs?|characters|lines?|format|tone|style|bulleted|english|german|french|spanish|"
    r"italian|portuguese|japanese|chinese|dutch|zusammenfassung|fassung|liste|tabelle|stichpunkte|"
    r"antwort|sätze?n?|wörter|worte|zeilen|englisch\w*|deutsch\w*|französisch\w*|résumé|liste|tableau|"
    r"réponse|phrases?|mots|lignes|anglais|allemand|français|resumen|tabla|respuesta|frases?|palabras|"
    r"líneas|inglés|español|riassunto|elenco|tabella|risposta|frasi|parole|righe|inglese|italiano|"
    r"resumo|tabela|resposta|palavras|linhas|inglês|português|samenvatting|zinnen|streszczenie|zdania|özet)\b|"
    r"(?=[^\x00-\x7f])(?:要約|箇条書き|表に|文字以内|字以内|行で|英語|日本語|中国語|形式|翻訳|摘要|总结|概括|列表|表格|格式|英文|中文|字以内|句话)",
)


class Voice(NamedTuple):
    """Whether who writes names himself, whether somebody is addressed, whether output is named."""

    first: bool
    second: bool
    output: bool


def voice_of(sentence: str) -> Voice:
    """Return who a sentence in lower case is from and to, and whether it names an output."""
    if is_other_script(sentence):
        first, second, output = OTHER_FIRST, OTHER_SECOND, OTHER_OUTPUT
    else:
        first, second, output = FIRST_PERSON, SECOND_PERSON, OUTPUT
    return Voice(
        first.search(sentence) is not None,
        second.search(sentence) is not None,
        output.search(sentence) is not None,
    )


def is_imperative(sentence: str) -> bool:
    """Whether a sentence in lower case has the shape of an imperative, whatever its verb."""
    if IMPERATIVE.match(sentence):
        return True
    return not sentence.isascii() and IMPERATIVE_CJK.search(sentence) is not None
