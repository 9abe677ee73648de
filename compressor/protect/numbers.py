"""Numbers with what gives them their meaning: sign, currency, unit, percent, date, time, range."""

import re
from collections.abc import Iterator

from compressor.case_folding import fold_case
from compressor.protect.formulas import formula_ranges
from compressor.protect.units import CURRENCY, SCALE, UNIT
from compressor.types import Kind, ProtectedSpan

MONTH = (
    r"(?:Jan(?:uary|uar|\.)?|Feb(?:ruary|ruar|\.)?|Mar(?:ch|\.)?|März|Apr(?:il|\.)?|May|Mai|June?|"
    r"Juni|July?|Juli|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Okt(?:ober|\.)?|"
    r"Nov(?:ember|\.)?|Dec(?:ember|\.)?|Dez(?:ember|\.)?|janvier|février|mars|avril|mai|juin|"
    r"juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|"
    r"agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|"
    r"settembre|ottobre|novembre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|"
    r"novembro|dezembro|januari|februari|maart|mei|augusti|augustus|maj|"
    r"april|juni|juli|september|oktober|november|december|januar|februar|marts|august|desember|"
    r"stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia|января|февраля|марта|апреля|"
    r"мая|июня|июля|августа|сентября|октября|ноября|декабря|Ocak|Şubat|Mart|Nisan|Mayıs|Haziran|"
    r"Temmuz|Ağustos|Eylül|Ekim|Kasım|Aralık|"
    r"Ιανουαρίου|Φεβρουαρίου|Μαρτίου|Απριλίου|Μαΐου|Ιουνίου|Ιουλίου|Αυγούστου|Σεπτεμβρίου|Οκτωβρίου|"
    r"Νοεμβρίου|Δεκεμβρίου|يناير|فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر|"
    r"ב?(?:ינואר|פברואר|מרץ|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר)|"
    r"जनवरी|फ़रवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर|"
    r"ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince|"
    r"січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня|"
    r"(?:tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu)kuu(?:ta|n)|"
    r"ianuarie|februarie|martie|aprilie|iunie|iulie|septembrie|octombrie|noiembrie|decembrie|"
    r"Maret|Mei|Agustus|Desember|január|február|március|április|május|június|július|augusztus|szeptember|október|"
    r"มกราคม|กุมภาพันธ์|มีนาคม|เมษายน|พฤษภาคม|มิถุนายน|กรกฎาคม|สิงหาคม|กันยายน|ตุลาคม|พฤศจิกายน|ธันวาคม)"
)
# What says nothing of a number where it stands right behind it; anything else there is its counter
# or what is counted: 20支, 3名様, 8080端口, 2型.
_NO_COUNTER = "的和与與或及在是为為于於将將把被从從到至以由则則而也都又并並但即因所不没沒未无無非对對后後前中内內上下時时"
_CJK_UNIT = (
    r"个?小[时時]|分[钟鐘]|[时時][间間]|星期|[个個箇]月|毫秒|"
    r"[年月週日時分秒]間|[かヶカケヵ][月国所年]間?|"
    r"[年月日時时分秒円元个個人名件台岁歳回度％%万萬億亿兆千百倍号號第歩枚本冊層階区年代世紀天周层字片米吨]{1,4}|"
    r"(?:平方|立方)?(?:公斤|公里|[千毫微]克|毫升|[千分厘毫微纳]米|英[里尺寸]|海里|兆帕|米|美元|欧元|メートル|キロ|グラム|パーセント|センチ|トン|ドル|ユーロ|リットル)|"
    rf"[℃℉㎡㎏㎜㎝㎞]|つ|次/[分秒时時天日周週月年]|[多余餘几幾数]?(?![{_NO_COUNTER}])[\u4e00-\u9fff]"
)
_THAI_UNIT = (
    "(?:วัน|ชั่วโมง|นาที|วินาที|สัปดาห์|เดือน|ปี|บาท|เปอร์เซ็นต์|กิโลกรัม|กิโลเมตร|คน|ครั้ง|ชิ้น|ราย|องศา|น\\.)"
)
# Endings follow it without a space; before some a scale may stand by itself: 85만 원.
_KOREAN_UNIT = (
    r"(?:(?:[십백천]?[만억조천]\s?)?(?:원|달러|유로|엔|위안|명|인|개(?:월|년)?|회|번|일|주(?:일|간)?|년(?:간)?|월|"
    r"시간?|분|초|살|세|층|호|권|장|대|마리|가지|퍼센트|포인트|킬로(?:그램|미터)?|그램|밀리(?:리터|그램|미터)|리터|미터|센티미터|"
    r"배|도|점|위|쪽|페이지|평|건|조|항|차|석|곳|편|정|알)|[십백천]?[만억조])"
)
_EXPONENT = r"[^\S\n]?[×x·*]\s?10(?:\^|\*\*)?[-−+⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}(?!\w)"
# 1 234,56 and 12 000, but not the year and the count of "in 2024 100 people"
_GROUPED = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?"
_FRACTION = "[¼-¾⅐-⅞]"
_NUMERAL = rf"(?:(?:{_GROUPED}|\d+(?:[.,:/’'·]\d+){{0,8}}(?:,[-–—](?![\w-]))?|\.\d+)(?:\s\d/\d{{1,2}}(?![\d/])|[^\S\n]?{_FRACTION})?|{_FRACTION})(?:{_EXPONENT}|\^[-−+]?\d{{1,3}}|[eE][-+]?\d{{1,3}}(?!\w)|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})?"
_ISO_DATE = r"(?<![\d.-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
_SUFFIX = r"(?:st|nd|rd|th|s|er|ère|e|º|ª)(?!\w)"
_MYRIADS = r"(?:[万萬億亿千百]{1,2}\d{1,4}(?:,\d{3})*){0,3}"
_ONE = rf"{_NUMERAL}{_MYRIADS}(?:{_SUFFIX})?"
_POWER = r"(?:\^[-−]?\d|⁻[¹²³⁴])"
_PER = r"(?:/(?:\d+(?:\.\d+)?\s?m²|[^\W\d]\w{0,7})){0,2}"
_MEASURE = rf"{UNIT}{_POWER}?(?:[\s·⋅][A-Za-zµμ]{{1,4}}{_POWER}){{0,3}}{_PER}"
_AMOUNT = (
    rf"(?:(?<![-=<>])[~≈<>≤≥±]\s?)?(?:(?<![\w.])[+\-−])?(?:{CURRENCY}\s?)?{_ONE}"
    rf"(?:(?:[^\S\n]?[-–—−~〜±×x]|\s?(?:to|bis|à|a))\s?(?:{CURRENCY}\s?)?{_ONE}(?!\w))?"
    rf"\+?(?:[\s-]?{SCALE}(?!\w))?(?:(?:[\s-]?(?:per\s|d[ie]\s|d['’])?{_MEASURE}|/\w{{1,8}})(?!\w)|(?:{_CJK_UNIT})|\s?{_THAI_UNIT}|{_KOREAN_UNIT})?"
    r"(?:[年月]\d{1,2}[月日]?){0,2}"
)
# Letters with a space behind them begin a number only where digits come next (May 5, USD .50). In
# prose this passes over nearly everything before any of the many alternatives is tried.
_PLAIN = r"[^\W\d_¼-¾⅐-⅞]{0,40}+\s(?!\.?\d)"
_NUMBER = re.compile(
    rf"(?!{_PLAIN})(?:{_ISO_DATE}|"
    rf"(?<!\w){MONTH}\s\d{{1,2}}(?:{_SUFFIX})?(?:,?\s\d{{4}})?(?!\w)|"
    rf"(?<![A-Za-z\d_.,])\d{{1,2}}(?:{_SUFFIX}|\.)?\s(?:of\s|de\s)?{MONTH}(?:,?\s(?:de\s)?\d{{4}})?(?!\w)|"
    rf"(?<!\w){MONTH}\s\d{{4}}(?!\w)|"
    r"(?<![A-Za-z\d_.,+])\d{2,4}(?:[ \u00a0]\d{2,4}){3,5}(?![\w.,])|"  # cards, French telephones
    r"(?<![\w.])\d{1,2}h\d\d(?!\w)|"
    r"§{1,2}\s?\d{1,4}[a-z](?!\w)|"
    r"(?<![\w.])\d{1,3}°\s?\d{1,2}[′'’](?:\s?\d{1,2}(?:[.,]\d+)?[″\"”])?\s?[NSEWO]?(?!\w)|"
    rf"(?:(?<![A-Za-z\d_.,]){_AMOUNT}))"
    rf"|{_FRACTION}"
)
_HAN_NUMBER = re.compile(
    rf"{_ISO_DATE}|"
    r"[百千万萬]分之(?:[一二三四五六七八九十百两兩零〇点點]{1,8}|\d+(?:\.\d+)?)|"
    r"[一二三四五六七八九十百千万億亿两兩零〇]{1,8}(?:点[一二三四五六七八九]{1,4})?"
    r"(?:年代|世紀|世纪|年|月|日|時|时|分|秒|円|元|人|個|个|割|パーセント|"
    r"名|件|台|岁|歳|回|度|％|倍|次|名|座|条|款|項|项|節|节|章|位|米|吨|公里|公斤|天|周|层|字|片|毫克|号)"
)
# Numbers in words. Some of them are other words too, and count only before a unit.
_UNIT_NUMBER = r"one|an?|half|several|un|une|ein\w{0,2}|uno|una|um|uma|dos|once|mil|sei|elf"
NUMBER_WORD = (
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-(?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"hundred|thousand|million|billion|trillion|dozens?|double|triple|twice|thrice|"
    r"(?:two|three|four|five)-(?:thirds|quarters|fifths)|two thirds|three quarters|one third|one quarter|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|zwanzig|dreißig|vierzig|fünfzig|hundert|"
    r"tausend|doppelt|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|vingt|trente|quarante|"
    r"cinquante|cent|mille|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|"
    r"ciento|tre|quattro|cinque|sette|otto|nove|dieci|venti|cento|três|quatro|sete|oito|dez|vinte"
)
_IN_WORDS = re.compile(
    rf"(?<![\w'’-])(?:(?i:{_UNIT_NUMBER})[\s-](?:{SCALE}|{UNIT})(?:[\s-]{UNIT})?|"
    rf"(?i:one)\s(?:in|of|out of)\s(?:(?i:{NUMBER_WORD})|\d+)|"
    rf"(?i:{NUMBER_WORD})(?:[\s-](?:and\s)?(?i:{NUMBER_WORD})){{0,4}}(?:\sand\sa\s(?:half|quarter))?(?:[\s-]{SCALE})?"
    rf"(?:[\s-](?:per\s)?{UNIT})?)(?![\w-])",
)

# Where such a number may begin, in text in lower case; units need their capitals.
_NUMBER_WORD_NEXT = re.compile(rf"(?<![\w'’-])(?=(?:{_UNIT_NUMBER})[\s-]|(?:{NUMBER_WORD})(?!\w))")

# What limits a number stays with it: "at least 5" without "at least" is another number.
_LIMITS = (
    r"(?:no |not )?(?:more|less|fewer|greater|higher|lower|larger|smaller|older|younger|longer|shorter|"
    r"later|earlier|better|worse) than(?: or equal to)?|at (?:least|most|the (?:least|most|latest))|"
    r"up to|as (?:many|much|few|little|high|low|late|early) as|(?:a )?(?:maximum|minimum|total) of|max\.?|min\.?|"
    r"in excess of|under|over|below|above|about|around|approximately|approx\.?|roughly|nearly|almost|exactly|only|"
    r"within|between|from|until|before|after|since|by|for|every|plus or minus|minus|under no|exceed(?:s|ed|ing)?|"
    r"(?:nicht )?(?:mehr|weniger|länger|kürzer|älter|höher|größer|kleiner) als|mindestens|höchstens|maximal|"
    r"minimal|bis zu|bis|unter|über|etwa|ca\.?|circa|rund|fast|genau|nur|zwischen|von|vor|nach|seit|ab|binnen|innerhalb von|"
    r"au moins|au plus|(?:plus|moins) de|jusqu['’](?:à|au|en)|environ|près de|entre|depuis|avant|après|"
    r"(?:inf|sup)érieure?s? (?:à|aux)|moins|au maximum|seulement|al menos|por lo menos|como máximo|como mínimo|(?:más|menos) de|hasta|"
    r"(?:inferior|superior)(?:es|[ei])? a[il]?|antes de|después de|depois de|após|prima di|dopo|entro|oltre|"
    r"unos|unas|cerca de|desde|aproximadamente|casi|solo|pelo menos|no máximo|(?:mais|menos) de|até|"
    r"almeno|al massimo|(?:più|meno) di|fino a|circa|"
    r"minstens|hoogstens|ten (?:minste|hoogste)|(?:meer|minder|langer|ouder|jonger) dan|binnen|vanaf|tot|ruim|"
    r"minst|högst|(?:mer|mindre|fler|färre|äldre|yngre|längre) än|över|inom|upp till|från|"
    r"mindst|højst|(?:mer|mindre|flere|færre) enn|(?:mere|mindre|flere|færre) end|inden(?: for)?|innen|op til|opp til|"
    r"(?:co )?najmniej|(?:co )?najwyżej|(?:więcej|mniej|później|wcześniej|dłużej) niż|ponad|poniżej|powyżej|około|do|od|"
    r"nejméně|nejvýše|alespoň|(?:více|méně|déle|později) než|přes|asi|"
    r"(?:не )?(?:более|менее|больше|меньше|позднее|раньше|старше|младше)(?: чем)?|(?:як )?мінімум|как минимум|максимум|"
    r"свыше|около|примерно|до|от|спустя|(?:не )?(?:більше|менше|пізніше)(?: ніж)?|понад|близько|від|"
    r"vähintään|enintään|korkeintaan|yli|alle|noin|en az|en fazla|en çok|yaklaşık|"
    r"(?:πάνω|κάτω) από|(?:άνω|κάτω) των|τουλάχιστον|το πολύ|περίπου|έως|μέχρι|πριν από|"
    r"(?:أكثر|أقل) من|(?:لا )?(?:يقل|تقل|يزيد|تزيد) عن|خلال|حتى|حوالي|نحو|قبل|بعد|منذ|على الأقل|"
    r"לפחות|לכל היותר|עד|תוך|לפני|אחרי|כמעט|"
    r"कम से कम|अधिकतम|लगभग|करीब|최소|최대|적어도|약|매|ít nhất|tối (?:đa|thiểu)|(?:nhiều|ít) hơn|hơn|trên|dưới|trong vòng|khoảng|"
    r"(?:lebih|kurang) dari|paling (?:banyak|sedikit|lambat)|minimal|maksimal|sekitar|hingga|sampai"
)
_BEFORE = re.compile(
    rf"(?:(?<![\w'’])(?:{_LIMITS})\s(?:the\s|a\s|an\s|about\s|des\s|de\s|les\s|los\s|the\snext\s)?|"
    r"(?<![\w])[A-Za-zαβσμχκ][²\d]?\s?(?:[<>=!]=|[=<>≤≥±≈≠])\s?|"
    r"(?<![-=<>])(?:[<>=!]=|[<>≤≥≈±~=∼≠])\s?|"  # not the end of an arrow
    r"(?:§{1,2}|№|(?<![\w'’])(?:arts?|sec|nos?|nr|figs?|eqs?|tab|ch|paras?|abs|pp?|vol)\.)\s?"
    r"(?:(?-i:[A-Z])\s)?|(?<!\w)(?-i:OJ|JO|DO|GU)\s(?-i:[A-Z])\s|"  # Nr. L 302, OJ C 12
    r"(?:至少|最多|最少|不超过|不超過|不少于|不到|不足|超过|超過|约|約|大约|近|每[日天年月周週次個个]?|[毎一][日週月年]|第|从|共|仅|僅|"
    r"不?[高低大小多少早晚][于於](?:等[于於])?|最大|最高|最低|少なくとも)|"
    r"(?:(?:יותר|פחות) מ|(?<!\w)כ)[-־]|"
    r"(?:ร้อยละ|อย่างน้อย|ไม่เกิน|เกิน|ไม่น้อยกว่า|น้อยกว่า|ประมาณ|มากกว่า|ภายใน|หลัง|ก่อน|หลังเวลา|ก่อนเวลา)\s?)\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s?(?:or|and) (?:more|less|fewer|higher|lower|above|below|over|under|older|younger|later|earlier|longer|up)(?!\w)|"
    r"\s(?:oder|und) (?:mehr|weniger|älter|jünger|höher|länger)(?!\w)|\s(?:ou|et) (?:plus|moins)(?!\w)|"
    r"\s(?:o|y) (?:más|menos)(?!\w)|\s(?:a|an|per|each) (?:second|minute|hour|day|night|week|month|year|person|head)(?!\w)|"
    r"\sand a (?:half|quarter)(?!\w)|\s(?:at (?:most|least)|of age|old|ago|each|apiece)(?!\w)|\+(?!\w)|"
    r"[가-힣]{0,3}\s?(?:이상|이하|미만|초과|이내|까지|전(?=[에까의\s])|후(?=[에까의\s]))|"
    r"\s(?:से (?:अधिक|ज़्यादा|कम)|के (?:भीतर|अंदर)|तक)(?![\u0900-\u0963])|"
    r"(?:['’]\w{2,4})?\s(?:içinde|kadar|fazla|az)(?!\w)|"
    r"(?:\((?:\d{1,3}|[a-z]|[ivx]{1,5})\)){1,4}(?!\w)|"  # section 12.3(b)(iv)
    r"(?:\s(?:Abs\.|Nr\.|S\.|Satz|Buchst\.|lit\.|al\.|apartado)\s?(?:\d{1,3}[a-z]?|[a-z])(?!\w)){1,4}|"
    r"\s(?:UTC|GMT|[ECMP][SD]?T|CES?T|MES?Z|BST|IST|JST|MSK)(?:\s?[+−-]\s?\d{1,2}(?::\d\d)?)?(?!\w)|"
    r"(?:以上|以下|未満|未满|以内|以內|以降|まで|程度|ほど|あたり|余|多|左右|超|を(?:超え|越え|上回|下回)|"
    r"[之以]?[前后後](?![日年回期月者])|目(?![标標的]))"
)
_SIGNS = "<>=≤≥≈~±"
_NAMED = re.compile(r"(?<!\w)\w{1,3}\s?\Z")  # p < 0.05
_BEFORE_REACH = 32
# Joins two numbers into one: "between 5 and 10", "two of the four", "5 out of 8".
_JOINT = re.compile(
    r"\s(?:and|und|et|y|e|to|bis|a|à|or|oder|ou|o|out of|of|of the|von|sur|de|de los)\s|[^\S\n]?/[^\S\n]?|から|到|至"
)
_RANGE_WORDS = re.compile(
    r"(?:between|from|zwischen|von|entre|de|desde|du|dal?|tra)\s", re.IGNORECASE
)
_JOINED = re.compile(
    r"[-–—]|[^\S\n]?[*×÷+][^\S\n]?|[^\S\n]=[^\S\n]|\s(?:out\s)?of\s(?:the\s)?|[^\S\n]?/[^\S\n]?|から|到|至|＝|\s(?:to|bis|à|a)\s"
)


# A number in words says itself again in digits, mostly in contracts: ninety (90) days.
_RESTATED = re.compile(
    rf"\s\(\d[\d.,]{{0,12}}\s?%?\)(?:[\s-](?:(?:calendar|business|working)\s)?{UNIT}(?!\w))?"
)


def number_spans(text: str) -> list[ProtectedSpan]:
    """Return the numbers of `text`, each with its unit and what limits it ("at least", 以上).

    A number stays exactly when its clause stays, and so does a formula or a citation.
    """
    found = [m.span() for m in _NUMBER.finditer(text)]
    found += _in_words(text)
    if not text.isascii():
        found += [m.span() for m in _HAN_NUMBER.finditer(text)]
    widened = [_widened(text, start, end) for start, end in found]
    widened += formula_ranges(text)
    return [ProtectedSpan(s, e, Kind.NUMBER, conditional=True) for s, e in _joined(text, widened)]


def _in_words(text: str) -> Iterator[tuple[int, int]]:
    """Yield the numbers that are written in words, ascending."""
    end = 0
    for place in _NUMBER_WORD_NEXT.finditer(fold_case(text)):
        if place.start() >= end and (found := _IN_WORDS.match(text, place.start())):
            end = found.end()
            if again := _RESTATED.match(text, end):
                end = again.end()
            yield found.start(), end


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in what stands before and after a number and limits it."""
    before = _BEFORE.search(text, max(0, start - _BEFORE_REACH), start)
    after = _AFTER.match(text, end)
    if text[start] in _SIGNS and (name := _NAMED.search(text, max(0, start - 6), start)):
        return name.start(), after.end() if after else end
    return before.start() if before else start, after.end() if after else end


# An amount goes on in the next smaller unit: 6 ft 2 in, 14 Uhr 30, 2시간 30분.
_LARGER = re.compile(
    r"\d[\s-]?(?:h|hrs?|hours?|mins?|minutes?|years?|ft|feet|foot|lbs?|pounds?|stone|Uhr|Stunden?|Std\.|Minuten?|"
    r"Jahren?|heures?|ans?|horas?|años?|or[ae]|ann[oi]|uur|timmar|timer|timme|saat|час(?:ов|а)?|ч|годин[аи]?|시간?|년|월|분)\Z"
)
_SMALLER = re.compile(
    r"\d{1,2}(?:[.,]\d{1,3})?[\s-]?(?:m|mins?|minutes?|secs?|seconds?|s|months?|in|inch(?:es)?|oz|ounces?|lbs?|pounds?|"
    r"Minuten?|Min\.|Sekunden?|Monaten?|Monate|minut(?:es|os|i|en|er)?|mois|mes(?:es)?|mesi|dakika|мин(?:ут[аы]?)?|хвилин|분|초|월|일)"
    r"(?![^\W가-힣])|\d\d(?![\w.,:])"
)


def _goes_on(text: str, last: tuple[int, int], start: int) -> int:
    """Return where a number ends that goes on at `start` in a smaller unit; 0: it does not."""
    larger = _LARGER.search(text, max(last[0], last[1] - 14), last[1])
    smaller = _SMALLER.match(text, start)
    if larger is None or smaller is None:
        return 0
    bare = smaller.group().isdigit()
    return smaller.end() if not bare or larger.group().endswith("Uhr") else 0


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge numbers that overlap or are one range: "between 5 and 10", "two of the four"."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined:
            last = joined[-1]
            between = text[last[1] : start]
            ranged = _JOINT.fullmatch(between) and _RANGE_WORDS.match(text, last[0])
            more = _goes_on(text, last, start) if between in ("", " ") else 0
            more = more or (between == " " and text[start] == "=" and end)
            if start <= last[1] or ranged or more or _JOINED.fullmatch(between):
                joined[-1] = (last[0], max(end, last[1], more))
                continue
        joined.append((start, end))
    return joined
