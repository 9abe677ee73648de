"""The words that negate, as parts of a pattern, in languages that set words apart by spaces.

They are for text in lower case (`fold_case`).
"""

from compressor.case_folding import fold_case

# Several words that negate together; their parts say something else when one is lost.
NEGATING_PHRASES = (
    r"no longer|not only|not just|not yet|not at all|not even|not a single|not one|no more|"
    r"no fewer|no less|by no means|in no way|on no account|under no circumstances|no one|"
    r"rather not|yet to|far from|instead of|rather than|other than|nothing but|anything but|"
    r"apart from|aside from|save (?:for|where|as|that)|only (?:if|when|where|after|once|with)|"
    r"(?:fail|neglect|refus)(?:s|es|ed|ing)? to|declined? to|unable to|"
    r"nicht (?:mehr|nur|einmal|länger)|noch nicht|noch nie|gar nicht|gar kein\w{0,2}|überhaupt nicht|"
    r"auf keinen fall|unter keinen umständen|in keiner weise|anstatt|statt dessen|"
    r"es sei denn|nur,? (?:wenn|falls|sofern|mit|nach)|"
    r"à moins (?:que|de|d['’])|(?:seulement|uniquement) (?:si|après|avec)|"
    r"personne ne|nulle part|pas encore|toujours pas|pas du tout|pas non plus|en aucun cas|au lieu de|"
    r"a menos que|s[oó]lo (?:si|cuando|después)|só (?:se|quando|depois)|solo (?:se|quando|dopo)|a meno che|"
    r"ya no|aún no|todavía no|en absoluto|de ningún modo|en ningún caso|en vez de|en lugar de|"
    r"já não|ainda não|de modo nenhum|non più|non ancora|per niente|in nessun caso|"
    r"chyba że|inaczej niż|tylko (?:jeśli|jeżeli|gdy|po|za)|jinak než|pouze (?:pokud|po|se?)|"
    r"med mindre|bortsett fra|bortset fra|endast (?:om|efter|med)|bara om|kun (?:hvis|når|etter|efter|med)|"
    r"alleen (?:als|indien|wanneer|na|met)|за исключением|за винятком|только (?:если|после|при|когда|с)|"
    r"лише (?:якщо|після|коли|за|з)|hiç kimse|không bao giờ|trừ khi|chỉ (?:khi|sau khi)|hanya (?:jika|setelah)|"
    r"ما عدا|ما لم|אלא אם|cu excepția|"
    # One half of these alone says the contrary, or leaves out on what it hangs.
    r"with or without|mit oder ohne|avec ou sans|con o sin|con o senza|com ou sem|met of zonder|"
    r"med (?:eller utan|eller uden|eller uten)|z (?:lub|albo) bez|s(?: nebo|/)bez|со? или без|з або без|"
    r"(?:if|whether|when|where) (?:or )?(?:not?|none|nobody|nothing|never)|(?:wenn|falls|sofern) nicht|"
    r"se non|se não|als niet|om inte|hvis ikke|jeśli nie|если не|якщо не|nếu không|jika tidak|kalau tidak|"
    r"or else|provided that|on condition that|unter der (?:bedingung|voraussetzung)|vorausgesetzt|"
    r"à condition (?:que|de|d['’])|faute de|a condición de|siempre (?:que|y cuando)|de lo contrario|"
    r"a (?:condizione|patto) che|in caso contrario|caso contrário|förutsatt att|forudsat at|forutsatt at|"
    r"pod warunkiem|w przeciwnym razie|za předpokladu|v opačném případě|при условии|за умови|"
    r"в противном случае|aksi (?:halde|takdirde)|υπό τον όρο|με ή χωρίς|بشرط أن|cu condiția"
)
_ENGLISH = (
    "not no never none nobody nothing nowhere neither nor without cannot unless except hardly "
    "barely scarcely rarely seldom dont doesnt didnt cant couldnt wont wouldnt shouldnt isnt arent "
    "wasnt werent hasnt havent hadnt aint lest w/o lack lacks lacked lacking non deny denies denied nope nah"
)
_GERMAN = (
    "nicht nichts nie niemals niemand niemandem niemanden nirgends nirgendwo kein keine keinen "
    "keinem keiner keines keinerlei keinesfalls keineswegs ohne weder außer kaum nein nee"
)
_FRENCH = "ne pas jamais rien aucun aucune aucunement sans ni non nulle nullement guère sauf hormis excepté"
_SPANISH = "nunca jamás nada nadie ningún ninguno ninguna ningunos ningunas sin ni tampoco salvo apenas excepto"
_ITALIAN = (
    "senza nessun nessuno nessuna né neanche nemmeno neppure mica niente nulla tranne eccetto"
)
_PORTUGUESE = "não nem sem nenhum nenhuma ninguém nunca jamais exceto"
_DUTCH = "niet geen nooit zonder niemand niets nergens behalve tenzij nauwelijks evenmin"
_NORDIC = (
    "inte icke ej ikke ikkje aldrig aldri ingen inget inga ingenting intet ingenstans varken "
    "verken hverken utan uten uden förutom förrän medmindre undtagen unntatt knappt knappast emme ette eivät älä älkää"
)
_SLAVIC = (
    "nie nikt nikogo nigdy nic niczego bez żaden żadna żadne żadnego oprócz nigdzie není nejsou nikdo "
    "nikdy ani kromě žádný žádná žádné žádného žádných nikoho nikoli nikoliv ničeho nikomu żadnego "
    "żadnej żadnych żadnym nikim не нет ни без никогда ничего никто никого нельзя кроме "
    "никакой никаких нигде никому никем ничем нельзя ничему никуда отнюдь немає ніхто ніколи нічого крім жоден жодного "
    "жодної жодних нікого ніде ані"
)
_EASTERN = (
    "değil değildir hiç hiçbir asla yok yoktur hariç haricinde fără niciun nicio niciuna niciunul niciodată nimeni nimic nici nem nincs nincsenek soha senki "
    "semmi sem nélkül kivéve δεν δε μην μη όχι ούτε ποτέ τίποτα κανείς κανένας κανένα κανέναν καμία καμιά δίχως χωρίς εκτός πλην "
    "لا ليس ليست ليسوا لم لن غير بدون دون أبدا إلا ولا ولم ولن فلا وليس "
    "ألا وألا بلا لست لسنا عدم بعدم لعدم وعدم فلم فلن وليست ودون وبدون وغير بغير سوى باستثناء "
    "לא אין בלי ללא אינו אינה אינם ולא שלא ואין שאין ואינו שאינו ואינה שאינה ואינם שאינם אינן ובלי מבלי "
    "וללא למעט नहीं मत न सिवाय बिना không chưa đừng chẳng tidak bukan belum jangan tanpa kecuali"
)
_OTHERWISE = (
    "otherwise sonst andernfalls ansonsten sinon altrimenti purché mits annars ellers inaczej jinak "
    "иначе інакше muutoin különben altfel διαφορετικά وإلا وگرنه अन्यथा वरना बशर्ते asalkan"
)
NEGATING_WORDS = "|".join(
    sorted(
        set(
            fold_case(
                f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH} {_ITALIAN} {_PORTUGUESE} {_DUTCH} "
                f"{_NORDIC} {_SLAVIC} {_EASTERN} {_OTHERWISE}"
            ).split()
        ),
        key=lambda word: (-len(word), word),
    )
)
