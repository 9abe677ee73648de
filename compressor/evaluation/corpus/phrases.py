"""Sentences in six languages with room for what must not be lost. Written for this corpus."""

from collections.abc import Mapping

# {name} is replaced by a made-up value that stays whatever the budget; {number} by one with a unit.
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "The nightly export for {email} has been failing since {date}, although nobody touched it.",
        "Details are on {url}, and the raw output is kept in {path} for a while.",
        "We rolled back to {version} after commit {hash} made the importer wait for {number}.",
        "Run {code} before you restart anything, because the cache is not written otherwise.",
        "The trace id {uuid} shows up in every one of the three services that were slow.",
        'The operator wrote "{quote}" in the channel and went home shortly afterwards.',
        "Throughput rose by {number} once the second queue was in place, which surprised us all.",
        "It never worked on the old cluster, and it is not supported there any longer.",
        "The committee talked about the harbour for most of the afternoon without any result.",
        "There was a long discussion about who should look after the archive from now on.",
        'They called it ""{quote}"", doubled as the spreadsheet does, and could not parse it.',
        "Please don't forget that the contract ends on {date} and cannot be extended.",
    ),
    "de": (
        "Der nächtliche Export für {email} schlägt seit dem {date} fehl, obwohl niemand etwas tat.",
        "Einzelheiten stehen unter {url}, die Rohdaten liegen vorerst in {path}.",
        "Wir sind auf {version} zurück, nachdem der Commit {hash} den Import um {number} bremste.",
        "Führe {code} aus, bevor du neu startest, sonst wird der Zwischenspeicher nicht gesichert.",
        "Die Kennung {uuid} taucht in allen drei Diensten auf, die langsam waren.",
        "Der Betreiber schrieb „{quote}“ in den Kanal und ging bald darauf nach Hause.",
        "Der Durchsatz stieg um {number}, sobald die zweite Warteschlange stand.",
        "Auf dem alten Cluster lief es nie, und es wird dort auch nicht mehr unterstützt.",
        "Der Ausschuss sprach den ganzen Nachmittag über den Hafen, ohne sich zu einigen.",
        "Wer sich künftig um das Archiv kümmert, wurde lange und ausführlich besprochen.",
    ),
    "fr": (
        "L'export nocturne pour {email} échoue depuis le {date}, alors que personne n'y a touché.",
        "Les détails sont sur {url}, et les données brutes restent dans {path} pour l'instant.",
        "Nous sommes revenus à {version} après que {hash} a ralenti l'import de {number}.",
        "Lancez {code} avant de redémarrer, sinon le cache n'est pas écrit sur le disque.",
        "L'identifiant {uuid} apparaît dans les trois services qui étaient lents.",
        "L'opérateur a écrit « {quote} » dans le canal puis il est rentré chez lui.",
        "Le débit a augmenté de {number} dès que la seconde file a été mise en place.",
        "Cela n'a jamais marché sur l'ancien cluster, et ce n'est plus pris en charge.",
        "Le comité a parlé du port pendant tout l'après-midi sans aucun résultat.",
    ),
    "es": (
        "La exportación nocturna para {email} falla desde el {date}, aunque nadie la ha tocado.",
        "Los detalles están en {url}, y los datos en bruto se guardan en {path} por ahora.",
        "Volvimos a {version} después de que {hash} frenara la importación durante {number}.",
        "Ejecuta {code} antes de reiniciar, porque si no la caché no se guarda en el disco.",
        "El identificador {uuid} aparece en los tres servicios que iban lentos.",
        "El operador escribió «{quote}» en el canal y poco después se fue a casa.",
        "El rendimiento subió un {number} en cuanto se puso en marcha la segunda cola.",
        "Nunca funcionó en el clúster antiguo, y allí ya no tiene soporte.",
        "El comité habló del puerto durante toda la tarde sin llegar a ningún acuerdo.",
    ),
    "ja": (
        "{email}宛ての夜間エクスポートは{date}から失敗していますが、誰も変更していません。",
        "詳細は{url}にあり、生データは当面{path}に保存されています。",
        "コミット{hash}で取り込みが{number}遅れたため、{version}に戻しました。",
        "再起動の前に{code}を実行しないと、キャッシュは保存されません。",
        "識別子{uuid}は遅くなった三つのサービスすべてに現れます。",
        "担当者は「{quote}」と書いて、その後すぐに帰りました。",
        "二つ目のキューを用意したところ、処理量は{number}増えました。",
        "古いクラスタでは一度も動かなかったので、もう対応していません。",
        "委員会は午後の間ずっと港について話し合いましたが、結論は出ませんでした。",
    ),
    "zh": (
        "发给{email}的夜间导出从{date}起一直失败，虽然没有人动过它。",
        "详细信息见{url}，原始数据暂时保存在{path}里。",
        "提交{hash}使导入慢了{number}之后，我们退回到了{version}版本。",
        "重启之前请运行{code}，否则缓存不会写入磁盘。",
        "标识符{uuid}出现在三个变慢的服务中。",
        "操作员在频道里写了“{quote}”，不久就回家了。",
        '他们把这一步定名为"{quote}"并写进了文件，后来不再修改。',
        "第二个队列投入使用以后，吞吐量提高了{number}，大家都没有想到。",
        "它在旧集群上从未运行过，现在那里也不再支持。",
        "委员会整个下午都在讨论港口的问题，却没有得出结论。",
    ),
}

QUOTES: Mapping[str, tuple[str, ...]] = {
    "en": ("disk quota exceeded", "try it again tomorrow morning", "no idea"),
    "de": ("Speicherplatz erschöpft", "morgen früh noch einmal", "keine Ahnung"),
    "fr": ("quota de disque dépassé", "on réessaie demain matin", "aucune idée"),
    "es": ("cuota de disco superada", "mañana lo intentamos otra vez", "ni idea"),
    "ja": ("容量が不足しています", "明日の朝もう一度", "わかりません"),
    "zh": ("磁盘空间不足", "明天早上再试一次", "中原"),
}

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "en": ("{n} minutes", "{n}%", "{n} GB", "{n}.5 seconds"),
    "de": ("{n} Minuten", "{n} %", "{n} GB", "{n},5 Sekunden"),
    "fr": ("{n} minutes", "{n} %", "{n} heures", "{n},5 secondes"),
    "es": ("{n} minutos", "{n} %", "{n} horas", "{n},5 segundos"),
    "ja": ("{n}分", "{n}％", "{n}時間"),
    "zh": ("{n}分钟", "{n}%", "{n}小时"),
}

MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("{d} March {y}", "October {d}, {y}", "{y}-0{m}-{d}"),
    "de": ("{d}. März {y}", "{d}.0{m}.{y}", "{y}-0{m}-{d}"),
    "fr": ("{d} août {y}", "{d}/0{m}/{y}", "{y}-0{m}-{d}"),
    "es": ("{d} de mayo de {y}", "{d}/0{m}/{y}", "{y}-0{m}-{d}"),
    "ja": ("{y}年{m}月{d}日", "{y}-0{m}-{d}"),
    "zh": ("{y}年{m}月{d}日", "{y}-0{m}-{d}"),
}

# Nothing in these has to stay: what room there is comes from them.
FILLERS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Most of the people in the room had heard some version of this before, and they waited.",
        "It would be good to write all of it down somewhere before the details are forgotten.",
        "The weather had been mild for weeks, and the windows of the old office stood open.",
        "As far as anyone could tell, things went on more or less the way they usually do.",
        "Several colleagues from the other building came over later and asked what had happened.",
    ),
    "de": (
        "Die meisten im Raum hatten so etwas Ähnliches schon einmal gehört und warteten ab.",
        "Es wäre gut, das alles irgendwo aufzuschreiben, bevor die Einzelheiten vergessen sind.",
        "Das Wetter war seit Wochen mild, und die Fenster des alten Büros standen offen.",
        "Soweit man sehen konnte, lief alles mehr oder weniger so weiter wie sonst auch.",
    ),
    "fr": (
        "La plupart des gens dans la salle avaient déjà entendu une version de cette histoire.",
        "Il serait bon de noter tout cela quelque part avant que les détails soient oubliés.",
        "Le temps était doux depuis des semaines et les fenêtres du vieux bureau restaient ouvertes.",
    ),
    "es": (
        "La mayoría de la gente en la sala ya había oído alguna versión de esta historia.",
        "Sería bueno apuntar todo esto en algún sitio antes de que se olviden los detalles.",
        "Hacía semanas que el tiempo era suave y las ventanas de la oficina estaban abiertas.",
    ),
    "ja": (
        "部屋にいた人のほとんどは、似たような話を前にも聞いたことがあったので、静かに待っていました。",
        "細かいことを忘れる前に、すべてをどこかに書き留めておくとよいでしょう。",
        "何週間も穏やかな天気が続き、古い事務所の窓は開いたままになっていました。",
    ),
    "zh": (
        "房间里的大多数人以前都听过类似的说法，所以他们安静地等着。",
        "最好在忘记细节之前把这些都写在某个地方，方便以后查看。",
        "几个星期以来天气一直很温和，旧办公室的窗户也都开着。",
    ),
}
