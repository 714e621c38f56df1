"""Lines that cut a reply from its history, or open a mail forwarded by hand."""

import re

from services.ingest.parse.words.casing import lowered

_ORIGINAL = (
    r"original message", r"original e-?mail", r"original text", r"reply message", r"reply",
    r"original appointment", r"urspr(?:ü|u|ue|=)?ngliche nachricht", r"original-?nachricht",
    r"originalnachricht", r"ursprüngliche e-?mail", r"message d'origine", r"message original",
    r"message initial",
    r"message d’origine", r"mail d['’]origine", r"mail original", r"mensaje original", r"mensagem original", r"messaggio originale",
    r"messaggio original", r"oorspronkelijk bericht", r"origineel bericht",
    r"oorspronkelijke bericht", r"ursprungligt meddelande",
    r"originalmeddelande", r"oprindelig meddelelse", r"original meddelelse", r"original besked",
    r"opprinnelig melding", r"original melding", r"opprinnelig e-?post", r"alkuperäinen viesti",
    r"oryginalna wiadomość", r"wiadomość oryginalna", r"oryginalny e-?mail",
    r"původní zpráva", r"původní e-?mail", r"pôvodná správa", r"eredeti üzenet", r"mesaj original",
    r"mesajul original", r"исходное сообщение", r"оригинальное сообщение",
    r"первоначальное сообщение", r"оригинал", r"вихідне повідомлення", r"оригинално съобщение",
    r"αρχικό μήνυμα", r"πρωτότυπο μήνυμα",
    r"orijinal mesaj", r"özgün ileti", r"asıl mesaj", r"orjinal mesaj", r"הודעה מקורית",
    r"ההודעה המקורית", r"الرسالة الأصلية", r"رسالة أصلية", r"پیام اصلی", r"pesan asli",
    r"tin nhắn gốc", r"thư gốc", r"ข้อความต้นฉบับ", r"原始邮件", r"原始郵件", r"原郵件", r"原邮件",
    r"原始信件", r"original", r"元のメッセージ", r"元のメール", r"オリジナルメッセージ", r"원본 메시지", r"원본 메일",
    r"izvirno sporočilo", r"izvorna poruka", r"originalna poruka", r"оригинална порука",
    r"missatge original", r"jatorrizko mezua", r"algne kiri", r"sākotnējais ziņojums",
    r"originalus laiškas",
)  # fmt: skip

_FORWARDED = (
    r"forwarded message", r"forwarded mail", r"forwarded e-?mail", r"begin forwarded message",
    r"start of forwarded message", r"forwarded by .{1,80}", r"forwarded message from .{1,120}?",
    r"weitergeleitete nachricht", r"weitergeleitete e-?mail",
    r"anfang der weitergeleiteten (?:nachricht|e-?mail)", r"message transféré",
    r"message transf=?ér=?é", r"mail transféré", r"courriel transféré",
    r"début du message (?:réexpédié|transféré)", r"message réexpédié", r"mensaje reenviado",
    r"inicio del mensaje reenviado", r"correo reenviado", r"mensagem encaminhada",
    r"mensagem reencaminhada", r"início da mensagem (?:encaminhada|reencaminhada)",
    r"inicio da mensagem (?:encaminhada|reencaminhada)", r"messaggio inoltrato",
    r"inizio messaggio inoltrato", r"messaggio in avanti",
    r"inizio del messaggio inoltrato", r"doorgestuurd bericht", r"begin doorgestuurd bericht",
    r"doorgestuurd e-?mail", r"vidarebefordrat meddelande", r"vidarebefordrat brev",
    r"vidarebefordrat mejl", r"vidarebefordrat mail",
    r"början på (?:det )?vidarebefordra(?:t|de) (?:meddelandet?|brevet?)",
    r"videresendt meddelelse", r"videresendt besked", r"videresendt e-?mail",
    r"start på videresendt besked", r"begynder videresendt besked", r"videresendt melding",
    r"videresendt e-?post", r"start på videresendt melding", r"videresendt e-?postmelding",
    r"begynnelse på videresendt (?:melding|e-?post)", r"edelleenlähetetty viesti",
    r"välitetty viesti", r"välitetyn viestin alku", r"välitetty viesti alkaa",
    r"edelleenlähetetty sähköpostiviesti", r"przekazana wiadomość", r"wiadomość przekazana",
    r"początek przekazywanej wiadomości", r"treść przekazanej wiadomości", r"przesłana wiadomość",
    r"treść przekazywanej wiadomości", r"wiadomość przesłana dalej",
    r"přeposlaná zpráva", r"přeposlaný e-?mail", r"předaná zpráva", r"začátek přeposlané zprávy",
    r"preposlaná správa", r"začiatok preposlanej správy", r"začiatok presunutej správy",
    r"odovzdaná správa", r"továbbított üzenet", r"továbbított levél", r"továbbított levél kezdete",
    r"továbbított üzenet kezdete", r"mesaj redirecționat", r"mesaj redirectionat",
    r"mesaj retransmis", r"început mesaj redirecționat", r"începutul mesajului redirecționat",
    r"mesajul redirecționat începe",
    r"пересылаемое сообщение", r"пересланное сообщение", r"пересылаемое письмо",
    r"пересланное письмо", r"перенаправленное сообщение", r"начало переадресованного сообщения",
    r"начало пересланного сообщения", r"начало переадресованного письма",
    r"переадресованное сообщение", r"конец пересылаемого сообщения", r"переслане повідомлення",
    r"переадресоване повідомлення", r"початок листа, що пересилається",
    r"перенаправлене повідомлення", r"початок пересланого повідомлення", r"препратено съобщение",
    r"препратено писмо", r"начало на препратеното съобщение",
    r"προωθημένο μήνυμα", r"αρχή προωθημένου μηνύματος", r"έναρξη προωθημένου μηνύματος",
    r"yönlendirilen ileti", r"iletilen mesaj", r"iletilmiş mesaj", r"yönlendirilmiş mesaj",
    r"iletilen ileti", r"yönlendirilen mesaj", r"iletilen e-?posta", r"başlangıç: iletilen ileti",
    r"הודעה שהועברה", r"התחלת הודעה שהועברה", r"הודעה מועברת", r"תחילת ההודעה שהועברה",
    r"رسالة معاد توجيهها", r"الرسالة المعاد توجيهها", r"رسالة مُعاد توجيهها", r"الرسالة المحولة",
    r"بداية الرسالة المعاد توجيهها", r"بدء الرسالة المعاد توجيهها", r"رسالة محولة",
    r"پیام هدایت شده", r"پیام فوروارد شده", r"پیام باز ارسال شده",
    r"pesan terusan", r"pesan yang diteruskan", r"pesan diteruskan", r"mesej yang dimajukan",
    r"tin nhắn đã chuyển tiếp", r"thư đã chuyển tiếp", r"tin nhắn chuyển tiếp",
    r"bắt đầu thư được chuyển tiếp", r"thư được chuyển tiếp", r"ข้อความที่ส่งต่อ",
    r"ข้อความส่งต่อ", r"เริ่มข้อความที่ส่งต่อ", r"转发的邮件", r"轉寄郵件", r"轉寄的郵件", r"转发邮件", r"转发邮件信息",
    r"转发的信息", r"转发的消息", r"已轉寄郵件", r"轉寄的訊息", r"開始轉寄郵件", r"轉寄信件", r"轉寄訊息", r"开始转发的邮件", r"下面是转发的邮件",
    r"以下为转发的邮件", r"以下是轉寄的郵件", r"下面是被转发的邮件", r"轉發郵件", r"転送メッセージ", r"転送されたメッセージ", r"転送メール",
    r"転送されたメール", r"以下は転送メッセージです", r"以下、転送メッセージ", r"以下に転送されたメッセージを記載します", r"転送元のメッセージ",
    r"전달된 메시지", r"전달된 메일", r"전달 메시지", r"아래는 전달된 메시지", r"전달받은 메시지", r"전달된 메시지 시작",
    r"posredovano sporočilo", r"proslijeđena poruka", r"početak proslijeđene poruke", r"započni proslijeđenu poruku",
    r"prosleđena poruka", r"прослеђена порука", r"missatge reenviat",
    r"inici del missatge reenviat", r"mensaxe reenviada", r"birbidalitako mezua",
    r"edastatud kiri", r"edastatud sõnum", r"edastatud (?:kirja|sõnumi) algus", r"pārsūtīts ziņojums", r"pārsūtītais ziņojums",
    r"persiųstas laiškas", r"persiunčiamas laiškas", r"áframsent skeyti", r"अग्रेषित संदेश",
    r"mensaje remitido", r"weitergeleitete mitteilung",
)  # fmt: skip

_TRIMMED = " \t>|*_<-‐–—=#+~"
_ORIGINAL_WORDS = re.compile(rf"(?:{'|'.join(_ORIGINAL)})\s*[:：]?", re.IGNORECASE)
_FORWARDED_WORDS = re.compile(rf"(?:{'|'.join(_FORWARDED)})\s*([:：]?)", re.IGNORECASE)
_RULE_START = frozenset(">|*_<-‐–—=#+~")
_COLONS = frozenset(":：")
_RULE = re.compile(r"[-‐–—=*#+~_]{2}")
# Yahoo puts the labels on the marker's own line when it turns HTML into text.
_GLUED = re.compile(
    rf"^([\s>]*-{{2,}}\s*(?:{'|'.join((*_FORWARDED, *_ORIGINAL))})\s*-{{2,}})\s*(\S.{{10,}})$",
    re.IGNORECASE,
)
# "-----Original Message-----" is also what Outlook's plain forwards begin with.
# For a `lowered` text.
_REPLY_ABOVE = re.compile(
    r"^[\s>|*_#=+-]*(?:please )?(?:type your reply|reply|write a reply|respond|add your (?:reply|"
    r"comment))[^\n]{0,30}\babove (?:this|the) line\b"
    r"|^[\s#*=-]*(?:bitte )?(?:antworten sie )?(?:oberhalb|über) dieser (?:zeile|linie)\b"
    r"|^[\s#*=-]*(?:répondez|veuillez répondre|répondre|"
    r"merci de répondre).{0,30}au-dessus de cette ligne"
    r"|^[\s#*=-]*(?:responda|escriba su respuesta|por favor responda).{0,30}(?:por encima de|"
    r"encima de|acima) (?:de )?(?:esta )?l[ií]n[eh]a"
    r"|^[\s#*=-]*in replies all text above this line|^\s*##- ?\S.{5,150} ?-##"
    r"|^\s*\[?(?:quoted text hidden|zitierter text ausgeblendet|texte des messages précédents masqué|"
    r"el texto citado está oculto|texto das mensagens anteriores oculto|show message history|show original message)\]?\s*$"
)
_BETWEEN_DASHES = re.compile(r"\S.{0,80}---\d{1,4}[./-]\d.{4,40}---")
_UNDERSCORES = re.compile(r"^[\s>*]*(?:_{20,}|[-–—=]{5,})\s*$")
# ">>> Ann <ann@customer.example> 03.11.2026 09:58 >>>" (GroupWise), above words it does not quote.
_BETWEEN_ANGLES = re.compile(r"^>>> ?[^\s>].{5,190}>>>\s*$")

_MAX_CHARACTERS = 200  # of a marker; longer lines are text, and slow to search
_MAX_GLUED = 1_000


def is_original(text: str) -> bool:
    """Whether the line is "-----Original Message-----" in some language."""
    if len(text) > _MAX_CHARACTERS or text.lstrip(" \t")[:1] not in _RULE_START:
        return False
    core = text.strip(_TRIMMED)
    return bool(core) and _ORIGINAL_WORDS.fullmatch(core) is not None and _follows_rule(text, core)


def is_forwarded(text: str) -> bool:
    """Whether the line opens a mail forwarded by hand."""
    if len(text) > _MAX_CHARACTERS:
        return False
    if text.lstrip(" \t")[:1] not in _RULE_START and text.rstrip(_TRIMMED)[-1:] not in _COLONS:
        return False
    core = text.strip(_TRIMMED)
    match = _FORWARDED_WORDS.fullmatch(core) if core else None
    return match is not None and (bool(match[1]) or _follows_rule(text, core))


def _follows_rule(text: str, core: str) -> bool:
    return _RULE.search(text[: text.index(core)]) is not None


def is_reply_above(text: str) -> bool:
    """Whether the line asks to reply above it, as help desks write."""
    if len(text) > _MAX_CHARACTERS:
        return False
    return _REPLY_ABOVE.match(lowered(text)) is not None or (
        "---" in text and _BETWEEN_DASHES.match(text) is not None
    )


def is_between_angles(text: str) -> bool:
    """Whether the line names sender and date between angle brackets, as GroupWise writes."""
    return text.startswith(">>>") and _BETWEEN_ANGLES.match(text[:_MAX_CHARACTERS]) is not None


def is_rule(text: str) -> bool:
    """Whether the line is a row of underscores or dashes, as above Outlook's header block."""
    return len(text) <= _MAX_CHARACTERS and _UNDERSCORES.match(text) is not None


def split_marker(text: str) -> tuple[str, str] | None:
    """Return marker and labels where one line holds both, None otherwise."""
    match = _GLUED.match(text) if "--" in text and len(text) <= _MAX_GLUED else None
    return (match[1], match[2]) if match is not None else None
