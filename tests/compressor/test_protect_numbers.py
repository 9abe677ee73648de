"""Numbers as doctors, lawyers, shops, chemists and other languages write them: one span each."""

import pytest

from compressor.protect import find_protected
from compressor.protect.dates import date_spans
from compressor.protect.numbers import number_spans
from compressor.types import Kind, Settings


def spans(text: str) -> list[str]:
    return [text[s.start : s.end] for s in find_protected(text, Settings(rate=0.5))]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Un ritardo superiore a 20 giorni basta.", "superiore a 20 giorni"),
        ("Riparazioni inferiori ai 150 euro sono ammesse.", "inferiori ai 150 euro"),
        ("Un retard supérieur à 10 jours suffit.", "supérieur à 10 jours"),
        ("Una demora superior a 10 días basta.", "superior a 10 días"),
        ("Um valor inferior a 30 euros basta.", "inferior a 30 euros"),
        ("Sums in excess of 500 euros are due.", "in excess of 500 euros"),
        ("Rufen Sie nicht vor 16 Uhr an.", "vor 16 Uhr"),
        ("Es endet nach 3 Tagen.", "nach 3 Tagen"),
        ("Termina después de 3 días.", "después de 3 días"),
        ("Empieza antes de 10 minutos.", "antes de 10 minutos"),
        ("Va restituito entro 30 giorni.", "entro 30 giorni"),
        ("Vale dopo 30 giorni.", "dopo 30 giorni"),
        ("Vale após 30 dias.", "após 30 dias"),
        ("如果温度高于85℃，请停机。", "高于85℃"),
        ("误差应小于0.5毫米。", "小于0.5毫米"),
        ("人数大于等于30人的班级。", "大于等于30人"),
        ("気温が30度を超える日もある。", "30度を超え"),
        ("費用は5万円を下回った。", "5万円を下回"),
        ("The eGFR was 38 mL/min/1.73 m² then.", "38 mL/min/1.73 m²"),
        ("The BNP was 1,840 pg/mL then.", "1,840 pg/mL"),
        ("Insulin glargine 22 units in all.", "22 units"),
        ("An infusion of 0.5 mcg/kg/min ran.", "0.5 mcg/kg/min"),
        ("Potassium of 10 mEq went in.", "10 mEq"),
        ("There were 2 tablets or 3 puffs left.", "3 puffs"),
        ("The price was 1 234,56 € in May.", "1 234,56 €"),
        ("It cost 12 000 euros in all.", "12 000 euros"),
        ("It cost R$ 3.500,00 in all.", "R$ 3.500,00"),
        ("It cost 250 kr in all.", "250 kr"),
        ("It cost ₺45 in all.", "₺45"),
        ("Es kostet 3,5 Mio. Euro im Jahr.", "3,5 Mio. Euro"),
        ("Es kostet 5 Mrd. € im Jahr.", "5 Mrd. €"),
        ("Der Preis war 1.299,- Euro im Mai.", "1.299,- Euro"),
        ("The run had 2 failed tests and that was it.", "2 failed"),
        ("The dough takes 1½ tsp baking powder.", "1½ tsp"),
        ("Add ⅔ cup of milk to the bowl.", "⅔ cup"),
        ("Heat the oven to 425°F/220°C first.", "425°F/220°C"),
        ("Take 2 ¼ cups of flour for it.", "2 ¼ cups"),
        ("Gib ¼ TL Muskat in die Suppe.", "¼ TL"),
        ("Mix in ⅛ tsp of salt at last.", "⅛ tsp"),
        ("Het dak kostte ons € 4.850,-.", "€ 4.850,-"),
        ("It lasts thirty-six (36) months in all.", "thirty-six (36) months"),
        ("Give ninety (90) business days of notice.", "ninety (90) business days"),
        ("Der Ofen läuft zwanzig (20) Minuten lang.", "zwanzig (20) Minuten"),
        ("Цена 3,5 млн рублей за год.", "3,5 млн рублей"),
        ("Срок составит не более 30 дней с подачи.", "не более 30 дней"),
        ("Termin wynosi co najmniej 14 dni roboczych.", "co najmniej 14 dni"),
        ("Pokuta činí nejvýše 10 % z ceny.", "nejvýše 10 %"),
        ("De zaal telt minstens 40 stoelen nu.", "minstens 40"),
        ("Resan tar högst 18 minuter nu.", "högst 18 minuter"),
        ("Prisen er mindst 250 kr nu.", "mindst 250 kr"),
        ("Laite kuumenee yli 60 astetta.", "yli 60"),
        ("Bu iş en az 3 gün sürer.", "en az 3 gün"),
        ("Ödeme 30 gün içinde yapılır.", "30 gün içinde"),
        ("Η παραγγελία είναι άνω των 500 € πάντα.", "άνω των 500 €"),
        ("تدفع الفواتير خلال 30 يوما من التسليم.", "خلال 30 يوما"),
        ("החוזה תקף לפחות 12 חודשים מהיום.", "לפחות 12 חודשים"),
        ("कृपया 48 घंटे के भीतर जवाब दें।", "48 घंटे के भीतर"),
        ("잔금은 30일 이내에 지급한다.", "30일 이내"),
        ("Bên B trả trong vòng 15 ngày sau đó.", "trong vòng 15"),
        ("Kirim paling lambat 7 hari lagi.", "paling lambat 7"),
        ("Поезд идёт 15 минут до города.", "15 минут"),
        ("Cena wynosi 3,5 mln zł za rok.", "3,5 mln zł"),
        ("Pociąg jedzie 15 minut do miasta.", "15 minut"),
        ("Tåget tar 15 minuter till staden.", "15 minuter"),
        ("Il costo è di 3,5 milioni di euro.", "3,5 milioni di euro"),
        ("Il treno impiega 15 minuti per Roma.", "15 minuti"),
        ("O trem leva 2 dias até a cidade.", "2 dias"),
        ("De trein doet er 3 uur over nu.", "3 uur"),
        ("吞吐量提高了86小时，大家没有想到。", "86小时"),
        ("他们等了15分钟才走。", "15分钟"),
        ("会議は3時間続いた。", "3時間"),
        ("每日吸烟20支。", "20支"),
        ("脉搏96次/分，律齐。", "96次/分"),
        ("興建2奈米晶圓廠。", "2奈"),
        ("监听8080端口。", "8080端"),
        ("评价是3つです。", "3つ"),
        ("2型糖尿病がある。", "2型"),
        ("症状は2週間前から出た。", "2週間前"),
        ("服药3天后好转。", "3天后"),
        ("口服5mg，每日1次。", "每日1次"),
        ("按总价的千分之五支付违约金。", "千分之五"),
        ("อัตราดอกเบี้ยร้อยละ 2.25 ต่อปี", "ร้อยละ 2.25"),
        ("انتهت المهلة بعد 3 أشهر كاملة.", "بعد 3 أشهر"),
        ("המשלוח הגיע אחרי 14 ימים בלבד.", "אחרי 14 ימים"),
        ("यह काम 3 दिन चला।", "3 दिन"),
        ("Η προθεσμία είναι 30 ημέρες ακριβώς.", "30 ημέρες"),
        ("รอมา 3 วันแล้วยังไม่ได้รับ", "3 วัน"),
        ("หากชำระล่าช้าเกิน 7 วัน จะถูกปรับ", "เกิน 7 วัน"),
        ("Schmerzen hat er seit ca. 3 Wo. im Knie.", "ca. 3 Wo."),
        ("体温37.8℃，脉搏正常。", "37.8℃"),
        ("薬を1日2回のむ。", "1日2回"),
        ("終値は3万8,642円だった。", "3万8,642円"),
        ("共有100多名学生。", "100多名"),
        ("相場は1ドル＝152円で動いた。", "1ドル＝152円"),
        ("It was \\$5 for each of them.", "\\$5"),
        ("Le train part à 18h30 de Lyon.", "18h30"),
        ("The train leaves at 3:15 p.m. EST sharp.", "3:15 p.m. EST"),
        ("The call is at 14:30 UTC+2 sharp.", "14:30 UTC+2"),
        ("It lies at 52.5200° N and so on.", "52.5200° N"),
        ("It turned 4.1° ± a little.", "4.1°"),
        ("It lies at 40°26′46″N and so on.", "40°26′46″N"),
        ("It rose by 30 basis points in May.", "by 30 basis points"),
        ("A rise of 2.5-fold was seen.", "2.5-fold"),
        ("The board is 2 1/4 inches wide.", "2 1/4 inches"),
        ("It took two and a half years to end.", "two and a half years"),
        ("It took an hour and a half to end.", "an hour and a half"),
        ("The rate is 3.2 × 10^-3 s^-1 here.", "3.2 × 10^-3 s^-1"),
        ("It gives -1234.5 kJ mol⁻¹ of heat.", "-1234.5 kJ mol⁻¹"),
        ("It moves at 5 m s⁻¹ to the left.", "5 m s⁻¹"),
        ("The flux was 2 W m^-2 by day.", "2 W m^-2"),
        ("Cells at 10^6 cells/mL were used.", "10^6 cells/mL"),
        ("We gave 10 µM to each.", "10 µM"),
        ("The effect was p = .19 in the end.", "p = .19"),
        ("As section 12.3(b)(iv) has it, no.", "12.3(b)(iv)"),
        ("So says § 1836c Nr. 1, it holds.", "§ 1836c Nr. 1"),
        ("So it is under § 8 Abs. 2 Satz 1 Nr. 3 as well.", "§ 8 Abs. 2 Satz 1 Nr. 3"),
        ("Es steht im Amtsblatt (ABl. EG\nNr. L 302 S. 1) und gilt.", "Nr. L 302 S. 1"),
        ("It was published in OJ C 12 once more.", "OJ C 12"),
        (
            "See 48 C.F.R. §227.7202-1 through 227.7202-4 for it.",
            "48 C.F.R. §227.7202-1 through 227.7202-4",
        ),
        ("Pursuant to § 11(2)(a) of the act.", "§ 11(2)(a)"),
        ("It is so under Art. 82 of the act.", "Art. 82"),
        ("This is shown in Fig. 3b of it.", "Fig. 3b"),
        ("It is told on pp. 34–36 of the book.", "pp. 34–36"),
        ("Die Regel steht in Nr. 7 der Satzung.", "Nr. 7"),
        ("Her phone is (555) 123-4567 by day.", "(555) 123-4567"),
        ("Her phone is +1-800-555-0199 by day.", "+1-800-555-0199"),
        ("Her phone is +44 20 7946 0958 by day.", "+44 20 7946 0958"),
        ("Her phone is +49 (0)30 1234-5678 by day.", "+49 (0)30 1234-5678"),
        ("Son numéro est 01 23 45 67 89 au bureau.", "01 23 45 67 89"),
        ("The card 4111 1111 1111 1111 was used.", "4111 1111 1111 1111"),
        ("Her ORCID is 0000-0002-1825-0097 there.", "0000-0002-1825-0097"),
        ("The host is 2001:db8::8a2e:370:7334 there.", "2001:db8::8a2e:370:7334"),
        ("The host is fe80::1 on that link.", "fe80::1"),
        ("The ion [Cu(NH3)4]2+ is blue.", "[Cu(NH3)4]2+"),
        ("The base Ca(OH)2 was added.", "Ca(OH)2"),
        ("The ion SO4^2- was left over.", "SO4^2-"),
        ("The ion Fe3+ was left over.", "Fe3+"),
        ("월세 85만 원을 매달 지급한다.", "85만 원"),
        ("보증금은 5,000만원이다.", "5,000만원"),
        ("계약은 3개월 뒤에 끝난다.", "3개월"),
        ("회의는 2시간 30분이 걸렸다.", "2시간 30분"),
        ("오후 3시 30분에 만난다.", "3시 30분"),
        ("최소 30일 전에 알려야 한다.", "최소 30일 전"),
        ("학생은 약 120명이 왔다.", "약 120명"),
        ("Der Zug geht um 14 Uhr 30 ab Köln.", "14 Uhr 30"),
        ("She ran it in 3 hours 12 minutes flat.", "3 hours 12 minutes"),
        ("The wall is 6 ft 2 in high.", "6 ft 2 in"),
        ("The bird weighs 12 lb 3 oz now.", "12 lb 3 oz"),
        ("It lasted 1h 30min in the end.", "1h 30min"),
        ("It costs $1.2m–$1.5m to build.", "$1.2m–$1.5m"),
        ("It grew by 5%–10% over it.", "by 5%–10%"),
        ("It is 2–3x as fast there.", "2–3x"),
        ("The visa costs AED 300 in all.", "AED 300"),
        ("The visa costs 300 AED in all.", "300 AED"),
        ("It sold for 0.05 BTC there.", "for 0.05 BTC"),
        ("The pulse was 72 bpm at rest.", "72 bpm"),
        ("合同第三十二条第二款另有规定。", "第三十二条第二款"),
        ("See 45 CFR 164.502(a)(1) for it.", "45 CFR 164.502(a)(1)"),
        ("So held in [2019] UKSC 5 by all.", "[2019] UKSC 5"),
        ("So held in ECLI:EU:C:2020:559 by all.", "ECLI:EU:C:2020:559"),
        ("They live in London SW1A 1AA now.", "SW1A 1AA"),
        ("They live in Ottawa K1A 0B1 now.", "K1A 0B1"),
        ("Aspirin is CAS 50-78-2 by number.", "50-78-2"),
        ("The sort code is 20-00-00 there.", "20-00-00"),
        ("The variant c.1799T>A was found.", "c.1799T>A"),
    ],
)
def test_a_number_is_one_span_with_its_unit(text: str, whole: str) -> None:
    assert whole in spans(text)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Il 5 maggio 2024 era festa.", "5 maggio 2024"),
        ("Em 5 de maio de 2024 foi festa.", "5 de maio de 2024"),
        ("Op 5 mei 2024 was het feest.", "5 mei 2024"),
        ("Den 5 maj 2024 var det fest.", "5 maj 2024"),
        ("W dniu 5 maja 2024 r. odbyło się święto.", "5 maja 2024"),
        ("В тот день, 5 мая 2024 года, был праздник.", "5 мая 2024"),
        ("Tam 5 Mayıs 2024 bayram oldu.", "5 Mayıs 2024"),
        ("It was signed on 14-10-2025 by both.", "14-10-2025"),
        ("Ήταν στις 15 Μαρτίου 2026 γιορτή.", "15 Μαρτίου 2026"),
        ("كان ذلك يوم 15 مارس 2026 في الصباح.", "15 مارس 2026"),
        ("זה היה ביום 15 במרץ 2026 בבוקר.", "15 במרץ 2026"),
        ("यह 15 मार्च 2026 को हुआ।", "15 मार्च 2026"),
        ("เมื่อวันที่ 30 พฤศจิกายน 2569 ที่ผ่านมา", "30 พฤศจิกายน"),
        ("그 회의는 2026년 3월 15일에 열렸다.", "2026년 3월 15일"),
        ("회의는 3월 15일 오후에 열렸다.", "3월 15일"),
        ("Họp vào ngày 15 tháng 3 năm 2026 tại đây.", "15 tháng 3 năm 2026"),
        ("Rapat itu 15 Agustus 2026 di Bandung.", "15 Agustus 2026"),
        ("Bylo to 15. března 2026 v Praze.", "15. března 2026"),
        ("Це було 15 березня 2026 року тут.", "15 березня 2026"),
        ("Se oli 15. maaliskuuta 2026 täällä.", "15. maaliskuuta 2026"),
        ("A fost pe 15 martie 2026 aici.", "15 martie 2026"),
        ("Az ünnep március 15 volt itt.", "március 15"),
        ("It was signed on 3-Nov-2025 by both.", "3-Nov-2025"),
        ("On 3 May you told us that it had not come.", "3 May"),
        ("Since the 3rd of May the road is closed.", "3rd of May"),
    ],
)
def test_dates_of_more_languages_always_stay(text: str, date: str) -> None:
    assert date in [text[s.start : s.end] for s in date_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        "It rose from 91% -> 96% in May.",
        "The map sends 5 => 7 and more.",
        "It went 12 --> 14 then.",
    ],
)
def test_an_arrow_is_no_comparison(text: str) -> None:
    assert not any(">" in span for span in spans(text))


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("In 2024 100 people came to see it.", "2024 100 people"),
        ("We saw it in 1999 (a good year) and after.", "1999 (a good year)"),
        ("Section 3 (a) is short and (b) is long.", "3 (a)"),
        ("It has 3 minor and 4 great faults.", "3 min"),
        ("After 3 days 20 people were left.", "3 days 20"),
        ("In the 2 years 12 pumps broke.", "2 years 12 p"),
    ],
)
def test_numbers_that_stand_apart_are_apart(text: str, never: str) -> None:
    assert not any(never in text[s.start : s.end] for s in number_spans(text))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (
            "Let $f\\colon \\mathbb{R}^n \\to \\mathbb{R}$ be convex.",
            "$f\\colon \\mathbb{R}^n \\to \\mathbb{R}$",
        ),
        ("It is not smooth at $x_0$ itself.", "$x_0$"),
        ("The set is \\(\\partial f(x_0)\\) here.", "\\(\\partial f(x_0)\\)"),
        ("Take the vector $x$ of length $n$ here.", "$x$"),
        ("The effect is known [12], [15-17] by now.", "[15-17]"),
        ("The effect was not reported [3, 4] then.", "[3, 4]"),
        ("The effect stays with scale (Liu et al., 2023).", "(Liu et al., 2023)"),
        (
            "It is known (Liu et al., 2023; Smith & Jones, 2021, pp. 34–36) by now.",
            "(Liu et al., 2023; Smith & Jones, 2021, pp. 34–36)",
        ),
        ("Smith v. Jones, 543 U.S. 220, 245 (2005) is the case.", "543 U.S. 220, 245 (2005)"),
        ("The duty is in 42 U.S.C. § 1983 of the code.", "42 U.S.C. § 1983"),
        ("1\n00:00:01.000 --> 00:00:04.500\nWell then.", "1\n00:00:01.000 --> 00:00:04.500"),
        ("1\n00:00:01,000 --> 00:00:04,500\nWell then.", "1\n00:00:01,000 --> 00:00:04,500"),
    ],
)
def test_formulas_citations_and_cues_stay_or_go_whole(text: str, whole: str) -> None:
    found = [s for s in find_protected(text, Settings(rate=0.5)) if s.kind is Kind.NUMBER]
    assert whole in [text[s.start : s.end] for s in found]
    assert all(s.conditional for s in found)


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $10 and nothing else.",
        "It costs $5 (or $10 in all) per run.",
        "Set $HOME and $USER in the shell, or $FOO_BAR/$BAZ.",
        "It was \\$5 or \\$10 by then.",
        "We met (in the spring of 2023) by the sea.",
    ],
)
def test_dollars_and_years_are_no_formulas(text: str) -> None:
    spans = [text[s.start : s.end] for s in number_spans(text)]
    assert not any(span.startswith("(") or span.count("$") > 1 for span in spans)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("从8080改成9090的。", "9090"),
        ("版本3.8和3.9的区别。", "3.9"),
        ("Python 3.8のサポート。", "3.8"),
        ("2026在这里。", "2026"),
    ],
)
def test_a_particle_behind_a_number_is_no_counter(text: str, number: str) -> None:
    assert any(text[s.start : s.end].endswith(number) for s in number_spans(text))
