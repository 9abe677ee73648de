"""Negations in further languages and with words of exception: none is lost where its word stays."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.protect.negation import negation_spans
from compressor.tokens import load_counter
from compressor.types import Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")
RATES = (0.6, 0.3)

# language, sentence, the negation in it, a word that it negates
SENTENCES = [
    ("en", "The pump runs without a break, apart from Sundays in winter.", "apart from", "Sundays"),
    ("en", "The gate opens for the guests only if the warden agrees.", "only if", "warden"),
    ("en", "Keep the lid closed, lest the sample dry out.", "lest", "sample"),
    ("en", "The fee is waived aside from the first instalment.", "aside from", "first"),
    ("de", "Er zieht aus, es sei denn, der Mieter widerspricht.", "es sei denn", "Mieter"),
    ("de", "Die Halle öffnet nur, wenn der Wart zustimmt.", "nur, wenn", "Wart"),
    ("fr", "Le musée est ouvert, excepté le lundi matin.", "excepté", "lundi"),
    ("fr", "Le bail continue à moins que le locataire parte.", "à moins que", "locataire"),
    ("es", "La tienda abre excepto los lunes por la tarde.", "excepto", "lunes"),
    ("es", "El plazo sigue a menos que el cliente pague.", "a menos que", "cliente"),
    ("it", "Il medico non ha mai visto il paziente a casa.", "mai", "visto"),
    ("it", "Il negozio apre tutti i giorni tranne il lunedì.", "tranne", "lunedì"),
    ("it", "Il dottore non ha trovato niente nella scatola.", "niente", "scatola"),
    ("pt", "A loja abre exceto na segunda de manhã.", "exceto", "segunda"),
    ("nl", "De winkel is open behalve op maandag in de winter.", "behalve", "maandag"),
    ("nl", "Het contract loopt door tenzij de huurder opzegt.", "tenzij", "huurder"),
    ("pl", "Nikt z sąsiadów nigdy tego psa wcześniej widział.", "Nikt", "sąsiadów"),
    ("pl", "Lekarz przyjmuje codziennie oprócz poniedziałku rano.", "oprócz", "poniedziałku"),
    ("pl", "Proszę podać kawę bez cukru i mleka.", "bez", "cukru"),
    ("cs", "Prosím kávu bez cukru a mléka.", "bez", "cukru"),
    ("cs", "Ten pes není nebezpečný pro sousedy.", "není", "nebezpečný"),
    ("ru", "Склад открыт каждый день, кроме понедельника утром.", "кроме", "понедельника"),
    ("ru", "Здесь нельзя оставлять машину на ночь.", "нельзя", "оставлять"),
    ("uk", "У лікаря немає вільного часу сьогодні.", "немає", "часу"),
    ("sv", "Patienten får inte köra bil före operationen.", "inte", "köra"),
    ("sv", "Ingen av grannarna har sett hunden där.", "Ingen", "grannarna"),
    ("sv", "Läkaren har aldrig träffat patienten hemma.", "aldrig", "träffat"),
    ("sv", "Drick kaffet utan socker efter maten.", "utan", "socker"),
    ("no", "Pasienten må ikke kjøre bil før operasjonen.", "ikke", "kjøre"),
    ("da", "Drik kaffen uden sukker efter maden.", "uden", "sukker"),
    ("fi", "Lääkäri ei ole nähnyt potilasta kotona.", "ei", "nähnyt"),
    ("fi", "Minä en nähnyt potilasta kotona, koska hän oli matkoilla.", "en", "nähnyt"),
    ("fi", "En tiedä miksi portti on auki.", "En", "tiedä"),
    ("fi", "Juon kahvin ilman sokeria tänään kotona.", "ilman", "sokeria"),
    ("fi", "Vuokra maksetaan joka kuukausi, ellei tässä toisin sovita.", "ellei", "toisin"),
    ("tr", "Bu ilaç çocuklar için uygun değil diyor doktor.", "değil", "uygun"),
    ("tr", "Hiçbir komşu köpeği bahçede görmüş.", "Hiçbir", "komşu"),
    ("tr", "Kapıda nakit ödeme artık kabul edilmiyor dendi.", "edilmiyor", "kabul"),
    ("tr", "Sipariş dün akşam kargoya verilmedi diye yazdılar.", "verilmedi", "kargoya"),
    ("ro", "Bolnavul bea cafeaua fără zahăr dimineața.", "fără", "zahăr"),
    ("ro", "Nu am văzut câinele în grădină, domnule.", "Nu", "văzut"),
    ("hu", "A beteg a kávét cukor nélkül issza.", "nélkül", "cukor"),
    ("el", "Ο ασθενής δεν πρέπει να οδηγήσει σήμερα.", "δεν", "οδηγήσει"),
    ("el", "Πίνει τον καφέ χωρίς ζάχαρη το πρωί.", "χωρίς", "ζάχαρη"),
    ("ar", "المريض لم يتناول الدواء هذا الصباح في البيت.", "لم", "يتناول"),
    ("ar", "هذا الدواء ليس آمنا للأطفال في البيت.", "ليس", "آمنا"),
    ("ar", "اشرب القهوة بدون سكر بعد الغداء.", "بدون", "سكر"),
    ("ar", "يجب ألا تتجاوز المدة المحددة في العقد.", "ألا", "تتجاوز"),
    ("he", "הרופא לא ראה את החולה הבוקר בבית.", "לא", "ראה"),
    ("hi", "मरीज़ ने आज सुबह दवा नहीं ली थी।", "नहीं", "ली"),
    ("hi", "कॉफ़ी बिना चीनी के पी जाती है।", "बिना", "चीनी"),
    ("vi", "Bệnh nhân không uống thuốc sáng nay ở nhà.", "không", "uống"),
    ("id", "Pasien tidak minum obat pagi ini di rumah.", "tidak", "minum"),
    ("ko", "환자는 오늘 아침에 약을 먹지 않았다.", "않았다", "먹지"),
    ("ko", "그 창고에는 오늘 남은 물건이 없습니다.", "없습니다", "물건이"),
    ("ko", "의사는 어제 환자를 못 만났다고 했다.", "못", "만났다고"),
    ("ko", "이 약은 아이에게 안전한 것이 아닙니다.", "아닙니다", "것이"),
    ("ko", "여기에 차를 세우지 마세요.", "마세요", "세우지"),
    ("ko", "그 주차장은 오늘부터 이용할 수 없습니다.", "없습니다", "이용할"),
    ("th", "ผู้ป่วยไม่กินยาเมื่อเช้านี้ที่บ้าน", "ไม่", "กิน"),
    ("th", "ห้ามจอดรถหน้าประตูโรงพยาบาล", "ห้าม", "จอด"),
    ("en", "We restart the resolver w/o a ticket every night.", "w/o", "ticket"),
    ("en", "The fees fall due today, save where the supplier is late.", "save where", "supplier"),
    ("de", "Die Schranke öffnet nur mit Zustimmung des Vermieters.", "nur mit", "Zustimmung"),
    ("fr", "Le bail ne peut être résilié par le locataire que par lettre.", "que", "lettre"),
    ("fr", "Le patient ne reprendra la conduite qu'après avis médical.", "qu'après", "conduite"),
    ("cs", "Cenu lze změnit jinak než písemným dodatkem.", "jinak než", "písemným"),
    ("pl", "Opłata jest zwracana tylko po zgłoszeniu szkody.", "tylko po", "zgłoszeniu"),
    ("pl", "Nie ma tu żadnych wolnych pokoi dla gości.", "żadnych", "wolnych"),
    ("nl", "De poort opent alleen met toestemming van de buur.", "alleen met", "toestemming"),
    ("sv", "Skyddet är inte fullgott förrän efter dos två.", "förrän", "fullgott"),
    ("da", "Aftalen fortsætter medmindre lejeren opsiger den.", "medmindre", "lejeren"),
    ("ru", "Склад открыт, за исключением праздников.", "за исключением", "праздников"),
    ("ru", "Утечки данных не было.", "не было", "данных"),
    ("uk", "Склад не має жодного вільного місця сьогодні.", "жодного", "вільного"),
    ("tr", "Kapıda nakit ödeme yapmak mümkün değildir.", "değildir", "mümkün"),
    ("el", "Δεν ισχύει καμία παραγγελία του πελάτη.", "καμία", "παραγγελία"),
    ("ar", "يلتزم الطرفان بعدم إفشاء أي معلومات سرية.", "بعدم", "إفشاء"),
    ("ar", "ينتهي العقد اليوم ما لم يتفق الطرفان.", "ما لم", "الطرفان"),
    ("he", "המטופלת הגיעה ולא עברה ניתוח השנה.", "ולא", "ניתוח"),
    ("he", "הרופא ביקש שלא ליטול אדוויל בבית.", "שלא", "ליטול"),
    ("hi", "ग्राहक को दोबारा भुगतान के लिए न कहें।", "न", "कहें"),
    ("id", "Toko buka setiap hari kecuali hari Senin pagi.", "kecuali", "Senin"),
    ("th", "ร้านเปิดทุกวันยกเว้นวันจันทร์ตอนเช้า", "ยกเว้น", "จันทร์"),
    ("en", "The tablets are taken with or without food at night.", "with or without", "food"),
    ("en", "The rent is due whether or not the tenant lives there.", "whether or not", "tenant"),
    ("en", "The permit ends at once if not renewed by the holder.", "if not", "renewed"),
    ("en", "Pay the fee today, otherwise the account is closed.", "otherwise", "account"),
    ("en", "They may sell it all provided that the widow agrees.", "provided that", "widow"),
    ("de", "Die Tablette kann mit oder ohne Essen genommen werden.", "mit oder ohne", "Essen"),
    ("de", "Zahlen Sie heute, andernfalls wird das Konto gesperrt.", "andernfalls", "Konto"),
    ("fr", "Le cachet se prend avec ou sans repas le soir.", "avec ou sans", "repas"),
    ("fr", "Payez aujourd'hui, sinon le compte sera fermé.", "sinon", "compte"),
    ("fr", "Le bail continue à condition que le locataire paie.", "à condition que", "locataire"),
    ("es", "La pastilla se toma con o sin comida por la noche.", "con o sin", "comida"),
    ("es", "Pague hoy, de lo contrario la cuenta será cerrada.", "de lo contrario", "cuenta"),
    ("it", "La compressa si prende con o senza cibo la sera.", "con o senza", "cibo"),
    ("it", "Pagate oggi, altrimenti il conto sarà chiuso.", "altrimenti", "conto"),
    ("pt", "O comprimido toma-se com ou sem comida de noite.", "com ou sem", "comida"),
    ("pt", "Pague hoje, caso contrário a conta será fechada.", "caso contrário", "conta"),
    ("nl", "De gast mag blijven, mits de buren akkoord gaan.", "mits", "buren"),
    ("sv", "Betala idag, annars stängs kontot i morgon.", "annars", "stängs"),
    ("pl", "Proszę zapłacić, w przeciwnym razie konto zniknie.", "w przeciwnym razie", "konto"),
    ("ru", "Оплатите сегодня, иначе счёт будет закрыт.", "иначе", "счёт"),
    ("ru", "Таблетку принимают с или без еды вечером.", "с или без", "еды"),
    ("tr", "Bugün ödeyin, aksi takdirde hesap kapatılır.", "aksi takdirde", "hesap"),
    ("ar", "ادفع اليوم وإلا الحساب مغلق غدا.", "وإلا", "الحساب"),
    ("hi", "आज भुगतान करें, अन्यथा खाता बंद होगा।", "अन्यथा", "खाता"),
    ("vi", "Hãy trả hôm nay, nếu không tài khoản bị khóa.", "nếu không", "tài"),
    ("id", "Bayar hari ini, jika tidak akun ditutup besok.", "jika tidak", "akun"),
    ("th", "จ่ายวันนี้มิฉะนั้นบัญชีจะถูกปิด", "มิฉะนั้น", "บัญชี"),
]  # fmt: skip


def kept_characters(text: str, rate: float, seed: int) -> set[int]:
    words = split_words(text)
    noise = np.random.default_rng(seed).random(len(words), np.float32)
    result = extract(text, words, noise, Settings(rate=rate), COUNTER)
    return {i for span in result.kept for i in range(span.start, span.end)}


def characters(text: str, words: str, lang: str) -> set[int]:
    edge = "" if lang == "th" else r"\b"
    found = re.search(edge + re.escape(words) + r"(?!\w)" * (lang != "th"), text)
    assert found
    return set(range(*found.span()))


@pytest.mark.parametrize(("lang", "text", "negation", "negated"), SENTENCES)
def test_a_negation_stays_with_its_word(lang: str, text: str, negation: str, negated: str) -> None:
    wanted, called_for = characters(text, negation, lang), characters(text, negated, lang)
    tried = 0
    for rate in RATES:
        for seed in range(10):
            kept = kept_characters(text, rate, seed)
            if called_for & kept:
                tried += 1
                assert wanted <= kept, f"{lang} at {rate}"
    assert tried


@pytest.mark.parametrize(
    "text",
    [
        "Wir treffen uns am 5. Mai im Park.",
        "Le 5 mai, la ville fête le printemps.",
        "Das Ei liegt im Nest.",
        "Ik woon nu in Gent.",
        "Jag har en bil och en häst på landet, och det är så.",
        "Il est né en Finlande, à Jyväskylä.",
        "De dokter en de patiënt wachten op Mäkelä.",
        "Yılmaz Bey temmuz ayında geldi.",
        "नाम और काम",
        "안녕하세요, 집 안에 있어요.",
        "เก้าอี้ไม้",
    ],
)
def test_what_only_looks_like_a_negation(text: str) -> None:
    assert [text[s.start : s.end] for s in negation_spans(text)] == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("请问能不能改成到店取货？", "能不能"),
        ("他想知道有沒有庫存。", "有沒有"),
        ("患者否认糖尿病史。", "否认糖尿病"),
        ("注意不要直接delete PVC", "不要直接delete"),
        ("ادامه نخواهد داشت و برق می‌آید.", "ادامه نخواهد داشت"),
        ("مصرف به آن نرسیده است، گفت.", "آن نرسیده است"),
        ("এই অফিস আজ খোলা থাকবে না।", "থাকবে না"),
        ("কর্মীরা অনুমতি ছাড়া ছুটি নেন।", "অনুমতি ছাড়া"),
        ("不可抗力による場合を除き、賠償する。", "場合を除き"),
        ("日曜日以外は営業します。", "日曜日以外"),
        ("They pay, but it is not on\namounts in dispute.", "not on\namounts"),
        ("合同继续有效，除非承租方提出异议。", "除非承租方"),
        ("任何一方除不可抗力外应支付违约金。", "除不可抗力"),
        ("请按时付款，否则合同将终止。", "否则"),
        ("請按時付款，否則合同將終止。", "否則"),
        ("如不付款，我们将取消订单。", "如不付款"),
        ("如果没有收据，店家会拒收。", "如果没有收据"),
        ("返金はしない。ただし、病気の場合は返金する。", "ただし"),
        ("早く払ってください。さもないと、契約が終わる。", "さもないと"),
        ("明らかなST変化はみられず、帰宅した。", "変化はみられず"),
        ("損害賠償を請求することはできない。", "請求することはできない"),
        ("第三者に開示してはならない。", "開示してはならない"),
        ("권리를 양도할 수 없다.", "양도할 수 없다"),
        ("그 말을 들은 적이 없다.", "들은 적이 없다"),
        ("ຍັງບໍ່ທັນຟື້ນຕົວ", "ບໍ່ທັນ"),
        ("សេដ្ឋកិច្ចមិនទាន់ងើប", "មិនទា"),
        ("រដ្ឋាភិបាលគ្មានគម្រោង", "គ្មាន"),
        ("အစီအစဉ် မရှိပါ။", "မရှိပါ"),
        ("သူ မလာဘူး။", "မလာဘူး"),
        ("कुछ बिंदु स्पष्ट नहीं हैं।", "स्पष्ट नहीं हैं"),
        ("لا توجد وظائف لا في دبي اليوم.", "لا في دبي"),
        ("Αυτό δεν θα ψηφίσουμε σήμερα.", "δεν θα ψηφίσουμε"),
        ("Она не была дома вчера.", "не была дома"),
        ("Оплата не только услуг, но и материалов.", "не только услуг"),
        ("Płaci nie tylko lokator, ale i firma.", "nie tylko lokator"),
        ("No solo el precio, también los gastos.", "No solo el precio"),
        ("Non solo il prezzo, anche le spese.", "Non solo il prezzo"),
        ("Não só o preço, também as despesas.", "Não só o preço"),
        ("Non seulement le prix, mais les frais.", "Non seulement le prix"),
        ("Niet alleen de prijs, ook de kosten.", "Niet alleen de prijs"),
        ("Inte bara priset, utan alla kostnader.", "Inte bara priset"),
        ("No debe tomar ibuprofeno.", "No debe tomar"),
        ("Il paziente non può guidare.", "non può guidare"),
        ("Он не должен водить машину.", "не должен водить"),
    ],
)
def test_unspaced_negations_hold_what_they_negate(text: str, whole: str) -> None:
    assert any(whole in text[s.start : s.end] for s in negation_spans(text))


def test_a_hindi_word_that_begins_like_a_negation_is_none() -> None:
    assert not negation_spans("मति और बिनाका")


def test_an_ordinary_burmese_letter_is_no_negation() -> None:
    assert not negation_spans("မြန်မာနိုင်ငံတော်ဗဟိုဘဏ်")
