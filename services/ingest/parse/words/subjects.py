"""Subject prefixes and phrases of forwards, automatic answers and bounces, in many languages."""

import re

FORWARD_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)*(?:fwd?|fw|forward(?:ed)?|wg|wtr|weiterleitung|weitergeleitet|"
    r"tr|transf|rv|renv|enc|encaminhad[ao]|i|rif|inoltr[ao]|doorst|vs|vl|vb|videresendt|pd|"
    r"podaj dalej|przek|prenos|továbbítás|tovabbitas|ilt|ileti|yml|ynt-?fwd|"
    r"fs|re?enviado|rvf|pr|пересл|переслано|пересылка|пер|fwд|πρθ|προώθηση|trs|trans|пп|הועבר|"
    r"העבר|إعادة توجيه|تحويل|转发|轉寄|转寄|轉發|転送|전달|chuyển tiếp|tiếp|terusan|ส่งต่อ|rd|persiųsti|"
    r"edasi|välitetty)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*",
    re.IGNORECASE,
)
REPLY_PREFIX = re.compile(
    r"^\s*(?:re|aw|antw|antwort|sv|vá|odp|rép|rif|ref|res|ynt|yan|cevap|отв|ответ|відп|回复|回覆|答复|"
    r"返信|답장|atb|απ|σχετ|رد|תגובה|השב)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]",
    re.IGNORECASE,
)
AUTO_PREFIX = re.compile(
    r"^\s*\W{0,3}(?:auto(?:matic|mated|matisch[ea]?|matické|matikus)?[ -]?(?:reply|response|"
    r"answer|respond|responder)|auto(?:reply|response|respond|svar|antwort)|auto\s?:|"
    r"auto[- ]re\s?:|out[- ]of[- ](?:the[- ])?office(?: auto-?reply)?|ooo\b|ooto\b|"
    r"vacation (?:reply|response|notice|message|auto-?reply)|away from (?:my )?(?:office|mail|"
    r"e-?mail)|on vacation|absence notice|i am (?:currently )?out of (?:the )?office|"
    r"abwesenheit(?:snotiz|sassistent|smeldung|sbenachrichtigung)?\b|abwesend|"
    r"automatische (?:antwort|rückantwort|eingangsbestätigung|antwortmail|e-?mail-?antwort)|"
    r"autom\. antwort|außer haus|ausser haus|nicht im (?:büro|haus)|urlaub(?:sbenachrichtigung|"
    r"snotiz|smeldung)|ich bin (?:nicht im|derzeit nicht)|eingangsbestätigung|"
    r"réponse automatique|reponse automatique|réponse auto|absence du bureau|"
    r"absent(?:e)? du bureau|absence\s?:|message d['’]absence|notification d['’]absence|"
    r"message automatique d['’]absence|en congés?|hors du bureau|"
    r"respuesta automática|respuesta automatica|fuera de (?:la )?oficina|ausente\b|ausencia\b|"
    r"contestación automática|autorespuesta|resposta automática|resposta automatica|"
    r"resposta automàtica|fora do escritório|ausência temporária|ausência do escritório|risposta automatica|"
    r"fuori sede|fuori ufficio|assente\b|assenza dall['’]ufficio|notifica di assenza|"
    r"automatisch antwoord|automatische beantwoording|automatische reactie|"
    r"afwezig(?:heid)?(?:smelding|sbericht|sassistent)?\b|niet aanwezig|afwezigheidsassistent|"
    r"autosvar|automatiskt svar|automatisk svar|automatiskt|frånvaro(?:meddelande)?|"
    r"ikke til stede|fravær|fraværs(?:besked|melding)|automaattinen vastaus|poissaolo|poissa\b|"
    r"automatvastus|"
    r"automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź|nieobecność|poza biurem|"
    r"automatická odpověď|mimo kancelář|nepřítomnost|automatická odpoveď|mimo kancelárie|"
    r"automatikus válasz|házon kívül|távollét|răspuns automat|raspuns automat|samodejni odgovor|"
    r"automatski odgovor|automatinis atsakymas|automātiskā atbilde|sjálfvirkt svar|"
    r"автоответ(?:чик)?|автоматический ответ|автоматична відповідь|автовідповідь|"
    r"автоматичен отговор|вне офиса|нет на месте|отсутствие на рабочем|αυτόματη απάντηση|"
    r"εκτός γραφείου|otomatik (?:yanıt|cevap|yanit)|ofis dışında|מענה אוטומטי|תשובה אוטומטית|"
    r"מחוץ למשרד|رد تلقائي|الرد التلقائي|خارج المكتب|پاسخ خودکار|"
    r"balasan otomatis|balasan automatik|trả lời tự động|thư trả lời tự động|ตอบกลับอัตโนมัติ|"
    r"การตอบกลับอัตโนมัติ|自动回复|自动答复|自動回覆|自動回應|自動答覆|外出(?:自动回复)?\s?[:：]|不在办公室|自動返信|自動応答|不在通知|自動回答|"
    r"자동 ?(?:회신|응답|답장)|부재중)",
    re.IGNORECASE,
)
# After AUTO_PREFIX: somebody has trouble with automatic answers, or wants them.
ASKS_ABOUT = re.compile(
    r"^[^:]{0,60}(?:\?|\b(?:do(?:es)? ?n[o'’]t|not work|cannot|can['’]t|problem|issue|error|set ?up|"
    r"configur|broken|funktioniert|einricht|fehler|ne (?:fonctionne|marche)|no funciona)\b)",
    re.IGNORECASE,
)
# For a `lowered` text.
BOUNCE_SUBJECT = re.compile(
    r"undeliver(?:able|ed)|not delivered|delivery (?:status )?(?:notification|failure|failed|"
    r"report|problem|error|has failed|status)|deliver(?:y|ing) (?:of|to) .{0,60}(?:failed|"
    r"impossible)|(?:mail|message|e-?mail) (?:delivery|system|could not|cannot|was not|not|"
    r"has not|undelivered|delivery failed|status report|error|returned)|"
    r"failure notice|returned (?:mail|e-?mail|to sender|message)|non[- ]?delivery|nondeliverable|"
    r"non remis|unzustellbar|nicht zugestellt|nicht zustellbar|unzustellbarkeit|"
    r"zustellung (?:fehlgeschlagen|nicht möglich)|zustell(?:fehler|benachrichtigung|ungs)|"
    r"fehlgeschlagen|rückläufer|benachrichtigung zum übermittlungsstatus|"
    r"non distribu|échec de (?:la )?(?:remise|distribution|livraison)|notification d['’]état|"
    r"avis de non[- ]remise|message non délivré|no se (?:puede|pudo|ha podido) entregar|"
    r"no entregado|notificación de estado|mensaje no entregado|devuelto|não (?:foi )?(?:entregue|"
    r"pode)|falha (?:na|de) entrega|devolvid|notificação de (?:status|estado)|"
    r"impossibile (?:recapitare|consegnare)|non recapitabile|mancat[ao] (?:consegna|recapito)|"
    r"mancata consegna|notifica (?:sullo stato|di mancato)|onbestelbaar|niet (?:bezorgd|"
    r"afgeleverd|bestelbaar)|niet worden bezorgd|kan (?:inte|ikke) leveres|ej leverer|"
    r"olevererbar|kunde inte levereras|kunne ikke leveres|ikke leveret|ikke levert|"
    r"perille toimittaminen|ei voitu toimittaa|toimitus epäonnistui|"
    r"nie (?:można )?dostarcz|niedostarczon|zwrot|nedoručiteln|nedoručen|nelze doručit|"
    r"kézbesíthetetlen|nem kézbesíthető|nelivrat|nu (?:a fost|poate fi) livrat|не доставлен|"
    r"недоставлен|не удалось доставить|ошибка доставки|не может быть доставлен|"
    r"сообщение о недоставке|не доставлено|неможливо доставити|μη παραδόσιμο|αδύνατη|"
    r"teslim edilemedi|iletilemedi|gönderilemedi|"
    r"לא ניתן למסור|تعذر (?:ال)?تسليم|فشل (?:ال)?تسليم|退信|无法投递|無法傳遞|未送達|退件|系统退信|配信不能|配信エラー|"
    r"配信できません|配達できません|送信エラー|送信不能|宛先不明|エラーメール|반송|전달되지 않|전송 실패|배달 실패|"
    r"warning: (?:could not send|message|e-?mail)|delayed mail|delivery delayed|mail delay|"
    r"message delayed|could not be delivered|unable to deliver|problem delivering|can(?:'|"
    r"no)t (?:be )?deliver|user unknown|unknown (?:user|recipient|address)|mailbox (?:is )?full|"
    r"over ?quota|mail failure|failed mail|rejected:|undelivery|nondelivery|bounce|"
    r"couldn't be delivered|wasn't delivered|"
    r"verzögert|retard[ée]|retraso|atraso|vertraagd|försenad|forsinket|viivästy|opóźni|zpožd|"
    r"отложен|задерж|延迟|延遲|遅延"
)
