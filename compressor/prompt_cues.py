"""The wording of instructions and questions in prompts, in nine languages and more.

The patterns are in lower case and for text that is (`fold_case`).
"""

import re


def _starts_with(*alternatives: str) -> re.Pattern[str]:
    """Match at a sentence's start, at word boundaries where the script has spaces."""
    words = "|".join(" ".join(alternatives).split()).replace("_", r"[ \t]+")
    polite = (
        r"(?:(?:please|now|then|next|first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|also|and|so|"
        r"carefully|briefly|kindly|always|only|just|pls|plz|ok(?:ay)?|ideally|bitte|nun|s['’]il vous plaît|veuillez|"
        r"por favor|ahora|per favore|agora|step \d+)[,:]?[ \t]+){0,3}"
    )
    return re.compile(rf"{polite}(?:{words})(?![\w])")


# Verbs that open a prompt's instruction and seldom a sentence of a document.
STRONG = _starts_with(
    r"""
    summari[sz]e sum_up translate explain answer list extract classify categori[sz]e rewrite write
    describe identify compare analy[sz]e generate provide return respond reply output give tell
    find determine calculate compute convert evaluate create draft suggest discuss outline highlight
    state name choose select pick decide rank sort count fill complete correct fix refactor
    implement proofread paraphrase rephrase simplify shorten condense expand format label tag rate
    score justify cite quote mention exclude avoid ignore focus limit act assume imagine pretend
    read review solve prove show predict recommend propose plan brainstorm critique assess verify
    check_whether check_if infer deduce estimate translate edit polish improve transcribe annotate
    map group cluster order flag report print produce prepare compose design develop debug optimi[sz]e
    do_not don['’]t never please let['’]s help_me can_you could_you would_you will_you
    i_want i_need i['’]d_like i_would_like we_need we_want given using based_on according_to
    from_the_(?:text|passage|article|document|context|above) in_(?:one|two|three|a|no_more|at_most|your_own)
    with_reference_to in_light_of pay_attention make_sure be_sure ensure_that remember_to keep_in_mind
    if_you_(?:do_not|don['’]t|cannot|can['’]t|are_not) if_the_(?:answer|text|context|document)
    i['’]m_(?:preparing|trying|writing|looking) i_am_(?:preparing|trying|writing|looking) need: wanted:
    what_i_(?:really_)?(?:want|need) all_i_(?:want|need) my_question_is i_wonder i['’]m_wondering
    continue ask reword recast rework tl;dr from_(?:the|this|these)_\w+,
    turn pull work_out go_through draft put port carry_on help make_it make_this make_me have_a_look
    look_(?:at|through|up|for) walk_me talk_me fact[ -]?check double[ -]?check cross[ -]?check match
    begin! tag redline spell_out break_down boil_down reduce expand_on elaborate cut trim tidy
    clean_up merge reproduce open_a adapt localize localise code parse count_the
    apply book arrange allocate decide schedule collect gather select recast sketch trace tabulate
    can_u could_u would_(?:appreciate|love|like|be_great|be_nice) hoping_(?:for|you|to) looking_for when_(?:answering|translating|writing|responding|replying|summari[sz]ing|editing|rewriting|citing)
    make_(?:me_|us_)?(?:an?|the)_(?:\w+_){0,2}(?:table|list|summary|outline|draft|overview|checklist|timeline|quiz|plan)
    for_each for_every your_(?:task|job|goal|role|answer|response|output|reply) you_are you_will
    you_must you_should you_have_to you_may
    fasse übersetze erkläre beantworte nenne liste schreibe beschreibe analysiere vergleiche erstelle
    beurteile beurteilen_sie gib extrahiere ordne formuliere kürze antworte verwende_nur erläutere prüfe bewerte bestimme
    berechne finde sage zähle zitiere fassen_sie übersetzen_sie erklären_sie beantworten_sie
    nennen_sie schreiben_sie beschreiben_sie analysieren_sie vergleichen_sie erstellen_sie geben_sie
    antworten_sie verwenden_sie listen_sie extrahieren_sie erläutern_sie du_bist sie_sind deine_aufgabe
    ihre_aufgabe laut_(?:dem|der)
    stelle stellen_sie gesucht: wende wenden_sie zieh ziehe ziehen_sie halte_dich halten_sie lies lesen_sie nutze nutzen_sie suche suchen_sie mach
    mache machen_sie kürzen_sie ordnen_sie prüfen_sie korrigiere korrigieren_sie verbessere zeig zeige
    zeigen_sie vervollständige ergänze überarbeite überarbeiten_sie formulieren_sie begründe wandle
    wandeln_sie sortiere sortieren_sie entwirf entwerfen_sie verfasse verfassen_sie könnten_sie
    können_sie kannst_du könntest_du ich_(?:brauche|benötige|möchte|hätte_gern)
    résume résumez traduis traduisez explique expliquez réponds répondez liste listez écris écrivez
    décris décrivez analyse analysez compare comparez donne donnez extrais extrayez cite citez indique
    indiquez rédige rédigez identifie identifiez ne_(?:cite|donne|mentionne|fais|faites)[a-z]*
    tu_es vous_êtes ta_tâche votre_tâche à_partir_d[eu] d['’]après selon en_(?:une|deux|trois)
    en_vous_basant en_te_basant lis lisez relève relevez propose proposez présente présentez corrige
    corrigez signale signalez classe classez complète complétez reformule reformulez calcule calculez
    trouve trouvez dresse dressez fais faites peux-tu pouvez-vous pourriez-vous pourrais-tu
    j['’]aimerais je_voudrais j['’]ai_besoin ce_serait tu_peu[xt]? peux_tu pouvez_vous serait-il_possible aide-moi aidez-moi
    resume resuma resumir traduce traduzca explica explique responde responda enumera enumere escribe
    escriba describe describa analiza analice compara compare da dé extrae extraiga indica indique
    redacta redacte identifica identifique menciona mencione eres usted_es tu_tarea su_tarea según
    basándo(?:te|se) a_partir_de no_(?:menciones|incluyas|uses|inventes|mencione|incluya|use|invente)
    haz haga contesta conteste contéstale lee lea saca saque actúa actúe explícame explíqueme redáctame
    dime dígame pásalo páselo tradúcelo corrige corrija revisa revise clasifica clasifique completa
    complete convierte convierta me_vendría me_puedes me_podr[ií]as puedes podr[ií]as ayúdame ayudame ordena ordene busca busque propón proponga necesito quiero_que quisiera me_gustaría
    resuma traduza responda liste escreva descreva analise forneça extraia você_é sua_tarefa
    me_ajuda me_ajude pode_me você_pode vc_pode responde escreve lista traduz traduzir resumir preciso gostaria faça
    faz explica explique reescreve reescreva corrija com_base_(?:no|na|em) usando és
    riassumi riassuma traduci traduca spiega spieghi rispondi risponda elenca elenchi scrivi scriva
    descrivi analizza confronta estrai sei_un il_tuo_compito traducilo traducila riscrivi riscriva
    correggi corregga puoi potresti mi_puoi mi_potresti mi_potrebbe aiutami le_sarei ti_sarei dimmi mi_dica mi_fai vorrei ho_bisogno fai faccia
    leggi legga usa_solo in_base_al
    перечисли перечислите переведи переведите объясни объясните ответь ответьте напиши напишите
    опиши опишите кратко_изложи составь составьте сравни сравните твоя_задача ты_— вы_—
    samenvat vat vertaal leg_uit beantwoord noem schrijf beschrijf vergelijk geef
    """
)

# Verbs that open both instructions and the sentences of manuals: they count at a text's edges.
WEAK = _starts_with(
    """
    use include keep make add be consider think note check start begin end stop remove replace put
    take set let follow refer mark combine merge split work try look see think_step remember
    base structure order present organi[sz]e stick bullet as_json
    nutze benutze verwende halte achte bleibe utilise utilisez garde gardez usa use mantén mantenga
    sii usa
    """
)

ADDRESS = re.compile(
    r"\b(?:you (?:are|must|should|will|need|have to|may|can|cannot|can['’]t)|your (?:answer|response|"
    r"output|task|reply|job|summary|own words)|i (?:want|need|would like|['’]d like)|"
    r"help me|tell me|give me|show me|"
    r"du (?:bist|sollst|musst)|sie (?:sollen|müssen)|deine antwort|ihre antwort|"
    r"tu (?:dois|es)|vous (?:devez|êtes)|ta réponse|votre réponse|"
    r"(?:tu|su) respuesta|debes|debe usted|devi|deve)\b|"
    r"^(?:请|請)(?!勿|提前)|(?:请|請)(?:回答|输出|翻译|总结|概括|列出|注明|引用|解释|改写|润色)|"
    r"你是|您是|ください|下さい|しなさい|あなたは|で(?:お願い|頼)(?:い|み)?します",
)

_TEXT_NOUN = (
    r"(?:text|texts|passages?|articles?|documents?|context|transcripts?|reports?|conversations?|"
    r"excerpts?|paragraphs?|emails?|logs?|notes?|stor(?:y|ies)|reviews?|code|data|information|"
    r"sources?|content|abstract|minutes|letter|contract|sections?|questions?|instructions?|rules|"
    r"format|steps|criteria|fields|chunks?|snippets?|results?|table|list|dialogue|chapter)"
)

# Words about the prompt itself: with an imperative they mark an instruction even inside a document.
_DECISIVE = re.compile(
    rf"\b(?:(?:above|following|below|next|given|provided|preceding|"
    rf"attached|previous|retrieved) {_TEXT_NOUN}\b|the following \w+\b|"
    r"(?:text|document|passage|article|version|source) (?:[a-d]\b(?!\.)|\d\b)|"
    r"your (?:task|job|role|goal|objective|persona|mission)(?: is| will|:)|act as (?:an?|our|my|the)\b|you are an? \w+|"
    r"answer (?:the|this|these|my|only|in|with|using|based)\b|"
    r"(?:respond|reply|output|return|answer) (?:only |strictly |just )?(?:with|in|as|using)\b|"
    r"in (?:your own words|(?:no more than|at most|fewer than|less than|under) (?:\d+|one|two|three|four|five|ten|twenty|fifty)) |"
    r"(?:one|two|three|four|five|ten|\d+)[ -](?:words?|sentences?|bullet points?|bullets|lines?|"
    r"paragraphs?|items?|points?)\b|"
    r"step by step\b|do not (?:include|mention|invent|answer|output|guess|explain|translate|summari[sz]e|paraphrase|hallucinate|"
    r"(?:use|make|add|write|repeat|copy) (?:up |any )?(?:any|the text|words?|emojis?|markdown|bullets?|bullet points|headings?|"
    r"jargon|outside|external|prior|your own|other|information|facts?|more than|text|comments?|explanations?|"
    r"anything|sentences?|abbreviations|quotes?|html|code|names?|numbers?|things))\b|say (?:so|you|that you|[\"“'‘])|in (?:json|markdown|yaml|csv|"
    r"xml|plain (?:text|english))\b|summari[sz]e (?:the|this|these|it|what|how|everything)\b|"
    r"translate (?:the|this|it|everything|into|to)\b|the (?:two|three|four) (?:texts|passages|documents|articles|"
    r"versions|paragraphs|contracts|leases|emails|reports|reviews)\b|"
    r"(?:turn|convert|rework) (?:the|this|these|those|my|our) (?:\w+ )?{_TEXT_NOUN} into\b|if (?:the (?:answer|text|context)|you (?:don['’]t|"
    r"do not|cannot|can['’]t) (?:know|find|tell|see|answer|have|understand|say))\b|"
    r"(?:folgende[nrms]?|obige[nrms]?|untenstehende[nrms]?|vorliegende[nrms]?|diese[nrms]?) "
    r"(?:text|texte|artikels?|dokuments?|abschnitte?s?|gesprächs?|berichts?|protokolls?|frage|fragen)\b|"
    r"(?:beiden|drei) (?:texte|dokumente|artikel|absätze|fassungen|verträge|berichte)n?\b|"
    r"in (?:einem|zwei|drei|vier|fünf|\d+) (?:sätzen|satz|stichpunkten|worten|wörtern)\b|"
    r"(?:texte|article|document|passage|rapport|extrait|compte rendu|question)s? "
    r"(?:ci-dessus|ci-dessous|suivante?s?|précédente?s?)\b|en (?:une|deux|trois|\d+) (?:phrases?|"
    r"points|mots|lignes)\b|"
    r"(?:texto|artículo|documento|pasaje|informe|fragmento|pregunta)s? (?:anterior(?:es)?|"
    r"siguientes?|de arriba|de abajo)\b|siguientes? (?:texto|artículo|documento|pregunta)s?\b|"
    r"en (?:una|dos|tres|\d+) (?:frases?|puntos|palabras|líneas|oraciones)\b)|"
    r"^(?:(?:here is|here are|here['’]s|that (?:was|is)|those (?:were|are)) .{0,60}[:：]$|"
    r"(?:列出|写出|指出|概括|总结|翻译|比较|对比|说明|帮我|把.{1,30}(?:列成|改成|改写|翻译|整理|总结|写成))|"
    r"(?:请|請)(?:用|把|将|將|根据|根據|列|总结|總結|概括|翻译|翻譯|回答|说明|說明|写|寫|给|給|从|從|不要|阅读|閱讀|"
    r"比较|比較|对比|對比|分析|提取|找出|指出|整理|改写|改寫|判断|判斷|归纳|歸納)|"
    r"あなたは.{1,30}(?:です|だ))|"
    r"(?=[^\x00-\x7f])(?:"  # the rest is not even tried in English
    r"(?:以下|上述|下面|上面|这篇|這篇|该|本文|文中)(?:的)?(?:文|内容|內容|文章|文本|段落|资料|材料|报告|对话|问题|会议)|"
    r"(?:你|您)(?:现在)?是(?:一|位|名|个)|(?:根据|按照)(?:文章|文本|上文|以上|资料|材料|内容)|"
    r"(?:訳|書き直|書き換え|作成|要約|翻訳)(?:し)?て(?:ください|下さい|くれ|[。．]|$)|"
    r"(?:次|以下|上記|下記|この|上)の(?:文章|文|テキスト|記事|文書|内容|質問|議事録|会話|資料|報告書|レポート)|"
    r"(?:要約|翻訳|説明|回答|列挙|答え|教え|抽出|まとめ|分類|比較|書い|使わない|記載)(?:し)?て?(?:で)?(?:ください|下さい))",
)

# The same of "the text below": looked for only where one of these stands in the sentence.
_POINTERS = ("above", "below", "that follow", "given", "provided")
_POINTED = re.compile(
    rf"\b(?:{_TEXT_NOUN}|it|them|user|customer|message|poem|recipe|function|findings|invoice|offer|draft|mail) "
    r"(?:above|below|that follows?|given|provided)\b"
)

# What is asked for, where a wish would else be one for anything: "a lift to the station".
OUTPUT_NOUN = (
    r"(?:summar(?:y|ies)|(?:shorter |longer |simpler |plain(?:er)? |\w+ )?version|translation|list|table|bullet(?: point)?s|outline|headlines?|"
    r"overview|rewrite|rewording|paraphrase|paragraph|sentences?|(?:zusammen)?fassung|übersetzung|liste|tabelle|überblick|stichpunkte|sätze|"
    r"résumé|traduction|tableau|phrases?|resumen|traducción|lista|tabla|versión|frases?|riassunto|traduzione|elenco|"
    r"tabella|versione|frasi|resumo|tradução|tabela|versão|samenvatting|vertaling|lijst|tabel|versie)"
)
_WANTED = (
    r"(?:what|all) (?:i|we)(?:['’]m| am|['’]re| are| need| want|['’]d (?:need|want|like|love)| would (?:need|want|like|love)) "
    r"(?:after|looking for|is|are)\b|"
    r"it(?:['’]d| would) (?:be (?:\w+ ){1,3}(?:to (?:have|get|see)|if)|(?:really )?help (?:me |us )?(?:\w+ ){0,3}to (?:have|get|see))\b|"
    r"(?:i|we)(?:['’]d| would)(?: really| much)? (?:appreciate|be (?:very |so |really )?(?:grateful|glad|happy|thankful) (?:for|if))\b|"
    r"was (?:ich|wir) (?:von dir |von ihnen |jetzt |nur |eigentlich )?(?:brauchen?|bräuchten?|möchten?|hätten?|suchen?|will|wollen)\b|"
    r"(?:es|das) wäre (?:\w+ ){1,3}(?:wenn|eine?n?)\b|(?:ich|wir) (?:wäre|wären|würde|würden) (?:\w+ )?(?:dankbar|froh|über)\b|"
    r"ce (?:qu['’]il (?:me|nous) (?:faut|faudrait)|dont (?:j['’]ai|j['’]aurais|nous avons) besoin|que (?:je|nous) (?:veux|voudrais|cherche|voulons))\b|"
    r"lo que (?:necesito|quiero|busco|necesitamos|me hace falta|me gustaría)\b|"
    r"(?:quello|ciò) (?:che (?:mi|ci) (?:serve|servirebbe)|di cui ho bisogno|che (?:vorrei|cerco|voglio))\b|"
    r"o que (?:preciso|eu preciso|quero|eu quero|procuro|me faz falta)\b|wat ik (?:nodig heb|zoek|wil|graag zou)\b"
)

# Wording that no document uses of itself: it counts wherever it stands, in a long paragraph too.
OUTRIGHT = re.compile(
    rf"^(?:(?:please |now |then ){{1,2}}(?:summari[sz]e|rewrite|translate|rephrase|paraphrase|shorten|simplify|"
    rf"condense|proofread|extract|list|explain|convert) (?:the|this|that|these|it)(?: {_TEXT_NOUN}\b| \w+ {_TEXT_NOUN}\b)|"
    r"(?:what|all) (?:i|we) (?:really |actually |just |only )*(?:want|need|would like|wanted) to (?:know|find out|understand|see) is\b|"
    r"(?:my|our) (?:question|request|task for you) (?:is|here is|for you is)\b|"
    r"(?:i|we)(?:['’]d| would)? (?:just |really |only |also )?(?:want|need|like|love) (?:you|to know|to find out|to understand)\b|"
    r"(?:i|we)(?:['’](?:m|re)| am| was| are| were) (?:just |also )?(?:wondering|hoping) (?:if|whether|how|what|why|which|you|that you)\b|"
    r"(?:what|all) (?:i|we)(?:['’]d| would)? (?:really |actually |just |only )*(?:need|want|like|love|hope for) from you\b|"
    rf"(?:{_WANTED})[^.!?]{{0,60}}?\b{OUTPUT_NOUN}\b|"
    r"(?:ich )?(?:würde|wüsste|möchte|wollte) (?:ich )?(?:gerne? )?(?:wissen|erfahren)\b|mich würde interessieren\b|"
    r"(?:j['’]aimerais|je voudrais|je souhaiterais) (?:bien )?savoir\b|(?:quisiera|me gustar[ií]a|quer[ií]a) saber\b|"
    r"vorrei (?:sapere|capire)\b|(?:gostaria de|queria) saber\b|хотел(?:а|ось)? бы (?:узнать|знать|понять)\b|"
    r"ik (?:wil|zou) (?:graag )?weten\b|chciał(?:a)?bym (?:się )?(?:dowiedzieć|wiedzieć)\b)|"
    r"\b(?:bitte|könnten sie|kannst du) .{0,40}(?:den|die|das) (?:obige[ns]?|folgende[ns]?) ",
)

# "Question:" and the like; what follows on the line is the question.
QUESTION_LABEL = re.compile(
    r"(?:\*\*|__)?(?:(?:final |user(?:'s)? |my |the |your |latest |follow[ -]up )?(?:question|query|input|task|prompt|request|instruction|problem|"
    r"assignment|objective|goal|q)s?(?: ?\d+)?|user (?:message|says)|frage|aufgabe|question|tâche|consigne|pregunta|tarea|"
    r"pergunta|domanda|compito|vraag|opdracht|pytanie|zadanie|polecenie|вопрос|задача|задание|soru|görev|"
    r"câu hỏi|yêu cầu|السؤال|سؤال|المطلوب|प्रश्न|सवाल|질문|과제|问题|問題|提问|任务|質問|課題|指示|設問)"
    r"(?:\*\*|__)?[ \t]?[:：](?:\*\*|__)?",
)

# A label whose whole section is instructions.
SECTION_LABEL = re.compile(
    r"(?:#{1,6}[ \t]+)?(?:\*\*|__)?(?:instructions?|rules|requirements|guidelines|constraints|"
    r"(?:output|response|answer)(?: format| style)?|format|formatting|tone|important|"
    r"(?:(?:a )?(?:note|message|hint|reminder)s? )?(?:to|for) (?:the )?(?:model|assistant|ai|llm|agent|chatbot)|"
    r"your task|tasks?|(?:your |my )?instructions|criteria|persona|what i need|deliverables?|anweisungen|regeln|vorgaben|ausgabeformat|wichtig|"
    r"consignes|instructions|règles|format de sortie|important|instrucciones|reglas|requisitos|"
    r"formato(?: de salida)?|importante|instruções|regras|istruzioni|regole|instructies|regels|"
    r"instrukcje|zasady|инструкции|правила|требования|kurallar|talimatlar|hướng dẫn|quy tắc|التعليمات|"
    r"القواعد|निर्देश|नियम|지침|규칙|지시(?: ?사항)?|要求|规则|規則|输出格式|注意|指示|条件|ルール|出力形式|注意事項)"
    r"(?:\*\*|__)?[ \t]?(?:[:：](?:\*\*|__)?|$)",
)

# Before a colon: what follows is the document and no list of instructions.
DOCUMENT_FOLLOWS = re.compile(
    rf"(?:{_TEXT_NOUN}|below|following|this|it|text|artikel|dokument|folgendes?|article|document|"
    r"suivante?|texto|artículo|documento|siguiente|文章|内容|文本|テキスト|記事|文)\W{0,6}[:：]\W{0,4}$",
)

# Before a colon all the same: what follows is the list that the instruction speaks of.
LIST_FOLLOWS = re.compile(
    r"(?:format|rules|steps|criteria|fields|instructions|questions|guidelines|requirements|keys|columns|"
    r"tools|template|style|regeln|schritte|felder|format|règles|étapes|champs|reglas|pasos|campos)"
    r"\W{0,6}[:：]\W{0,4}$",
)

# The same where what follows is the shape of the answer, whose lines are worded as a document's.
FORMAT_FOLLOWS = re.compile(
    r"(?:formate?|template|vorlage|modèle|formato|plantilla|modelo|schema|格式|形式|フォーマット|формате)"
    r"\W{0,6}[:：]\W{0,4}$",
)

# A statement about something else: a finite verb of being or having and nobody addressed.
DECLARATIVE = re.compile(
    r"^(?!(?:i|we|you|my|our|your|ich|wir|du|sie|je|nous|tu|vous|yo|eu|io)\b)(?!.*\b(?:me|my|you|your|mir|mich|moi|me)\b)"
    r"[^?:]*\b(?:is|are|was|were|has|have|had|does|did|will|can|could|would|may|might|must|should|shall|seems?|became|"
    r"ist|sind|war|waren|wird|werden|hat|haben|kann|muss|est|sont|était|a été|ont|peut|doit|es|son|fue|fueron|está|están|ha|han|"
    r"puede|debe|é|são|foi|tem|está|è|sono|era|può|deve)\b[^?:]*$|"
    r"[^?？:：]*(?:る|た|だ|です|ます|ません|でした|ない)。$",
)

# A letter's first line.
GREETING = re.compile(
    r"(?:(?:dear|hi|hello|hey|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|sehr geehrte|guten (?:tag|morgen)|"
    r"bonjour|madame|monsieur|cher|chère|hola|estimad\w{1,4}|buen(?:os|as) \w+|olá|car[oaie]|prezad\w{1,3}|gentile|"
    r"best|kind regards|regards|sincerely|cheers|yours|cordialement|à bientôt|mit freundlichen|viele grüße|"
    r"un saludo|saludos|atentamente|abraço|cordiali saluti|from|to|subject|re)\b[^\n?]{0,60}[,:!.：]?$|"
    r"(?:[^\n。]{1,20}(?:様|先生|女士|经理|您好|你好|さん)[，,：:]?(?:您好|你好)?[：:！!，,]?$))",
    re.MULTILINE,
)

# The opening of a letter to somebody else than the model, in a line of its own or not. It reads the
# sentence as it stands: a name is told by its capital.
GREETS_BY_NAME = re.compile(
    r"(?:Hi|Hello|Hey|Dear|Bonjour|Salut|Cher|Chère|Hallo|Lieber?|Hola|Querid[oa]|Ciao|Car[oa]|Olá|"
    r"Beste|Cześć|Привет|Здравствуйте|Merhaba|Sevgili)[ \t]+"
    r"(?!Claude|ChatGPT|GPT|Gemini|Copilot|AI\b|Assistant)"
    r"(?:(?:M[rs]{1,2}|Mme|Herr|Frau|Sr|Sra|Dr)\.?[ \t]+)?[^\W\d_a-zà-ÿ][\w'’-]+(?:[,!. ]|$)"
)

# The answer that an author gives to a question of his own: "Why so early? Because ...".
BECAUSE = re.compile(
    r"(?:because|weil|parce qu|porque|perché|poiché|omdat|bo |ponieważ|потому что|çünkü|bởi vì|vì |لأن|क्योंकि|因为|因為)|"
    r".*(?:때문(?:입니다|이다|이에요|이죠)|から(?:です|だ)|ため(?:です|だ)|yüzünden)[.。]?$"
)

# A finite verb, in a question the second word or the first.
_GERMAN_FINITE = (
    r"(?:ist|sind|war|waren|hat|haben|hatte|wird|werden|wurde|wurden|kann|können|konnte|darf|dürfen|muss|müssen|"
    r"soll|sollen|sollte|will|wollen|wäre|gibt|gab|gilt|gelten|geht|ging|heißt|bedeutet|bedeuten|kostet|kosten|passiert|"
    r"passierte|geschieht|geschah|macht|machen|steht|stehen|folgt|fehlt|fehlen|bleibt|bleiben|kommt|kommen|funktioniert|"
    r"braucht|brauche|brauchen|reicht|reichen|sagt|sieht|lautet|entsteht|entstand|nennt|stimmt|lohnt|läuft|spricht|meint)"
)

# A question without its mark, as people type it.
INTERROGATIVE = re.compile(
    r"(?:what|which|who|whom|whose|when|where|why|how) (?:is|are|was|were|do|does|did|has|have|had|"
    r"can|could|will|would|should|many|much|long|old|far|often|\w+ (?:is|are|was|were|do|does|did))\b"
    r"[^.!]{3,160}$|"
    rf"(?:und |aber )?(?:(?:was|wie) {_GERMAN_FINITE}\b|wie (?:viele?|lange|oft|hoch|groß|alt|weit|teuer|schnell|spät)\b|"
    r"(?:(?:seit|bis|ab) wann|(?:für|mit|von|zu|an|bei|auf|in|aus|nach|um) (?:wen|wem|was|welche[nmrs]?)|"
    r"wer|wem|wen|wessen|wann|wo|wohin|woher|warum|weshalb|wieso|wozu|womit|wovon|woran|wofür|wodurch|worauf|worum|"
    r"welche[rnms]?|wieviele?)(?= ))[^.!,;:]{3,160}$|"
    rf"{_GERMAN_FINITE} (?:es|man|ich|wir|sie|er|mein|meine|dort|hier|noch)\b"
    r"[^.!,;:]{3,120}$|"
    r"(?:y )?[a-zà-ÿ]{2,14}-(?:t-)?(?:ils?|elles?|on|je)\b[^.!,;:]{2,120}$|"
    r"(?:(?:de|a|con|para|por|desde|hasta|en) (?:quién(?:es)?|qué|cuándo|cuánt[oa]s?|dónde|cuáles?)|"
    r"(?:di|a|con|da|per) (?:chi|quando|quanto)|(?:de|a|com|para|desde) (?:quem|quando|quanto)) [^.!,;:]{3,120}$|"
    r"(?:what|who|how|where|when)['’]?s [^.!]{3,160}$|who (?:said|wrote|made|won|owns|\w+ed) [^.!]{3,120}$|"
    r"any (?:ideas?|thoughts|clue)\b[^.!]{0,80}$|"
    r"(?:¿|(?:qué|cuál|cuáles|cuándo|cuánt[oa]s?|dónde|cómo|quién|por qué|pourquoi|combien|comment (?:est|faire|je|on|puis)|"
    r"quel(?:le)?s? (?:est|sont)|est-ce que|qu['’]est-ce|c['’]est quoi|quanto (?:costa|custa|si|é|dura|tempo)|perché|por que|"
    r"hoe|waarom|wanneer|wat (?:is|zijn|kost|als)|hoeveel|jak|dlaczego|kiedy|ile|czy|co (?:to|jest)|"
    r"(?:а )?(?:как|где|когда|почему|сколько|зачем|можно ли|если)|что (?:такое|делать|будет)) )[^.!]{3,160}$|"
    r"(?=[^\x00-\x7f])(?:.{1,160}(?:ですか|ますか|でしょうか|ませんか)[。．]?$|[^。！]{2,80}[吗嗎呢]$|"
    r"[^。！，]{0,60}(?:，(?!.{0,60}，))?[^。！，]{0,60}(?:怎么办|怎么样|怎麼辦|是什么|是谁|在哪里?|多少钱?|几天|几点|多久|为什么|什么意思|什么时候)$|"
    r"[^.!]{2,120}(?:나요|까요|습니까|인가요)\.?$)|"
    r"(?:can|could|may|should|shall|must|do|does|did|is|are|was|were|will|would|has|have) "
    r"(?:i|u|we|you|he|she|it|they|the|this|that|these|there|my|our|your|any|anyone) [^.!,;:]{3,120}$",
)


def is_decisive(sentence: str) -> bool:
    """Whether a sentence in lower case has words about the prompt itself."""
    if any(word in sentence for word in _POINTERS) and _POINTED.search(sentence):
        return True
    return _DECISIVE.search(sentence) is not None
