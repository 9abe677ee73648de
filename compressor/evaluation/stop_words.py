"""Function words: what the stop-word baseline drops first, and what no negation negates."""

_BY_LANGUAGE = """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she
    her hers herself it its itself they them their theirs themselves what which who whom whose this
    that these those am is are was were be been being have has had having do does did doing a an
    the and but if or because as until while of at by for with about against between into through
    during before after above below to from up down in out on off over under again further then
    once here there when where why how all any both each few more most other some such only own
    same so than too very s t can will just should would could may might must now also it's that's
    there's i'm i've i'll he's she's we're we've they're they've you're let's
    der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren sein
    wird werden wurde wurden hat haben hatte in im auf an am zu zum zur von vom mit für bei aus nach
    als auch sich es er sie wir ihr ich du man dass daß wie so nur noch schon durch über unter vor
    le la les l' un une des du de et ou est sont était être a ont avait au aux en dans sur pour par
    avec que qui se ce cette ces il elle ils elles on nous vous je tu son sa ses leur leurs y d'
    el los las una unos unas del y o es son fue era ser con por para que se su sus al lo como más
    está están ha han había este esta estos estas
    の に は を が と で も か た て な だ です ます した する から まで より という こと もの
    的 了 是 在 和 与 及 之 也 就 都 而 着 把 被 对 这 那 他 她 它 我 你 们
"""
STOP_WORDS = frozenset(_BY_LANGUAGE.split())
