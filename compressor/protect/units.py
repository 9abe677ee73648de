"""Currencies, scales and units as parts of a pattern: what gives a number its meaning."""

CURRENCY = (
    r"(?:(?:[A-Z]{1,2})?\\?\$|[€£¥₹₽₩₺₴₫₪₱฿]|USD|EUR|GBP|CHF|JPY|SEK|NOK|DKK|PLN|Rs\.?|kr\.?)"
)
SCALE = (
    r"(?:thousand|hundred|million|billion|trillion|dozen|[Tt]ausend|Millionen|Million|Milliarden|"
    r"Milliarde|milliers?|millions?|milliards?|mil|millones|millón|Mio\.?|Mrd\.?|Tsd\.?|mln|mld|"
    r"milion\w{0,2}|miliard\w{0,2}|milh(?:ão|ões)|bilh(?:ão|ões)|miljoner|miljoen|miljard(?:er)?|"
    r"milyon|milyar|lakhs?|crores?|тыс\.?|тысяч\w?|млн\.?|млрд\.?|миллион\w{0,2}|bn|mn|[kKmMbB](?![\w]))"
)
UNIT = (
    r"(?:%|‰|percent(?:age points?)?|per cent|Prozent|pour cent|por ciento|pp|bps|°\s?[CFKNSEW]?|"
    r"degrees?|Grad|degrés?|grados?|[nµμmckdMG]?m[²³23]?|km²?|mi|miles?|ft|feet|foot|inch(?:es)?|"
    r"yards?|met(?:er|re)s?|kilomet(?:er|re)s?|centimet(?:er|re)s?|millimet(?:er|re)s?|"
    r"[Kk]ilometern?|[Mm]etern?|kilómetros?|metros?|mètres?|kilomètres?|"
    r"[kmµμnp]?g|mcg|kilograms?|kilos?|grams?|Kilogramm|Gramm|kilogramos?|gramos?|kilogrammes?|grammes?|"
    r"tons?|tonnes?|Tonnen|lbs?|pounds?|oz|ounces?|[mµdc]?[lL]|lit(?:er|re)s?|Litern?|litros?|"
    r"gallons?|gal|acres?|hectares?|ha|"
    r"[nµμm]?s|ms|secs?|seconds?|mins?|minutes?|hrs?|hours?|h|days?|weeks?|months?|years?|decades?|"
    r"centur(?:y|ies)|Sekunden?|Minuten?|Stunden?|Tagen?|Tage|Wochen?|Monaten?|Monate|Jahren?|Jahre|"
    r"secondes?|heures?|jours?|semaines?|mois|ans?|années?|segundos?|minutos?|horas?|días?|"
    r"semanas?|mes(?:es)?|años?|[KMGTP]i?B(?:/s|ps)?|[kMGT]?bps|bits?|bytes?|[kMGT]?Hz|"
    r"[kMG]?W(?:h)?|[kMm]?V|m?Ah?|[kM]?Pa|k?cal(?:ories)?|k?J|mmHg|bar|psi|rpm|mph|km/h|kph|m/s|"
    r"px|dpi|fps|dB|[mµμnp]?[Mm]ol|[mµμnp]M|mg/[dk][lLg]|IU|U|mEq|units?|tablets?|"
    r"capsules?|puffs?|drops?|doses?|cups?|tsp|tbsp|teaspoons?|tablespoons?|failed|passed|skipped|errors?|warnings?|"
    r"failures?|tests?|files?|rows?|lines?|cells?|copies|wt%|vol%|fold|basis points|[kK]elvin|USD|EUR|GBP|CHF|JPY|dollars?|euros?|"
    r"cents?|pesos?|yen|francs?|pence|Dollar|Euro|times|x|a\.?m\.?|p\.?m\.?|AM|PM|BC|AD|BCE|CE|"
    r"o['’]clock|Uhr|people|users?|tokens?|percentile|points?|"
    r"€|\$|£|¥|₽|₺|kr\.?|kronor|kroner|zł|złotych|Kč|Ft|лв|руб\.?|рубл(?:ей|я|ь)|долларов|евро|TL|lira|"
    r"SEK|NOK|DKK|PLN|CZK|BRL|CAD|AUD|CNY|INR|RUB|TRY|reais|second[oi]|minut[oiey]?|or[ae]|giorn[oi]|"
    r"settiman[ae]|mes[ei]|ann[oi]|per cento|por cento|dias?|anos?|seconden|minuter|uur|uren|dagen|weken|"
    r"maanden|jaar|jaren|procent|prosent|sekund(?:er)?|minutter|timmar|timer|dagar|dager|dage|veckor|"
    r"uker|månader|måneder|år|godzin[ya]?|dni|tygodni[e]?|miesięcy|miesiące|lata?|saniye|dakika|saat|gün|"
    r"hafta|yıl|секунд[ыу]?|минут[ыу]?|час(?:ов|а)?|дн(?:ей|я)|недел[ьяи]|месяц(?:ев|а)?|лет|года?|"
    r"процент(?:ов|а)?|человек|тонн|километров|метров|кг|км|см|мг|мл)"
)
