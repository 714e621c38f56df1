"""Labels of the header block that Outlook and others put above a quoted or forwarded mail."""

import re

LABELS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "saatja", "od", "nadawca",
        "odesílatel", "odosielateľ", "feladó",
        "expéditeur", "remitente", "remetente", "mittente", "afzender", "avsändare", "afsender",
        "avsender", "absender", "expeditor", "de la",
        "от", "от кого", "отправитель", "від", "від кого", "подател", "από", "αποστολέας",
        "kimden", "gönderen", "מאת", "من", "المرسل", "از", "فرستنده",
        "dari", "từ", "จาก", "发件人", "寄件人", "寄件者", "發件人", "自", "差出人", "送信者", "送信元", "보낸 사람", "보낸사람",
        "발신인", "pošiljatelj", "šalje", "пошиљалац", "nuo", "no", "от/from", "enviado por",
        "frá", "nga", "igorlea", "del", "pengirim", "người gửi", "प्रेषक", "बाट",
    ),
    "date": (
        "date", "sent", "sent at", "datum", "gesendet", "gesendet am", "envoyé", "envoyé le",
        "fecha", "enviado", "enviado el", "enviada", "enviada em", "enviado em", "enviado a",
        "data",
        "inviato", "data invio", "verzonden", "verstuurd", "skickat", "skickades", "datum/tid",
        "sendt", "dato", "lähetetty", "päivämäärä", "päiväys", "wysłano", "wysłane",
        "data wysłania",
        "odesláno", "odoslané", "dátum", "elküldve", "küldve", "küldés dátuma", "trimis",
        "trimis la", "dată", "дата", "отправлено", "дата відправлення", "надіслано", "изпратено",
        "ημερομηνία", "εστάλη", "στάλθηκε",
        "tarih", "gönderildi", "gönderme tarihi", "תאריך", "נשלח", "التاريخ", "تاريخ",
        "تم الإرسال", "أرسل", "أُرسلت", "تاریخ", "tanggal", "dikirim", "ngày", "đã gửi", "วันที่",
        "ส่ง", "发送时间", "发送日期", "日期", "时间", "時間", "傳送日期", "寄件日期", "寄送日期", "發送時間",
        "日時", "送信日時", "送信日", "日付", "보낸 날짜", "날짜", "보낸날짜", "발송일", "poslano", "послато", "išsiųsta",
        "nosūtīts", "saadetud", "kuupäev", "enviat", "enviat el", "bidalita",
    ),
    "to": (
        "to", "an", "à", "para", "a", "per", "aan", "naar", "till", "til", "vastaanottaja",
        "kellele", "do", "dla", "adresat", "komu", "pro", "címzett", "către", "catre",
        "destinataire", "destinatario", "destinatário", "empfänger", "ontvanger", "mottagare",
        "modtager", "mottaker", "кому", "получатель", "до", "προς", "kime", "alıcı",
        "אל", "إلى", "الى", "به", "گیرنده", "kepada", "ke", "tới", "đến", "ถึง", "收件人", "收件者",
        "宛先", "收信人", "받는 사람", "받는사람", "수신인", "za", "prima", "за", "kam", "kas",
    ),
    "cc": (
        "cc", "kopie", "kopie an", "copie à", "copie", "cópia", "con copia", "kopio", "kopia",
        "kopi", "dw", "kópia", "másolatot kap", "másolat", "копия", "копія", "κοιν.",
        "κοινοποίηση",
        "bilgi", "עותק", 'נסה"כ', "نسخة", "رونوشت", "抄送", "副本", "参照", "참조", "bcc", "cci", "bcc",
        "kk", "skrytá kopie",
    ),
    "subject": (
        "subject", "betreff", "betr.", "betrifft", "objet", "sujet", "asunto", "assunto",
        "oggetto", "onderwerp", "ämne", "emne", "aihe", "otsikko", "teema", "temat", "předmět",
        "predmet",
        "tárgy", "subiect", "тема", "относно", "θέμα", "konu", "נושא", "الموضوع", "موضوع",
        "subjek", "perihal", "chủ đề", "tiêu đề", "เรื่อง", "หัวเรื่อง", "主题", "主題", "主旨", "件名",
        "제목", "zadeva", "naslov", "наслов", "tema",
        "dalykas", "temats", "efni", "assumpte", "gaia", "onderw.", "asunto/subject", "re", "विषय",
    ),
    "reply-to": ("reply-to", "reply to", "antwort an", "répondre à", "responder a", "rispondi a", "svar til", "responder para", "返信先", "回复", "答复", "importance", "priority", "wichtigkeit", "attachments", "anlagen", "organization", "message-id", "mailed-by"),
}  # fmt: skip

_KIND_OF = {label: kind for kind, labels in LABELS.items() for label in labels}
_LINE = re.compile(
    r"^[\s>|*_\u200e\u200f\u202a-\u202e]*([^\W\d][^:：<>@]{0,28}?)\s?[*_]*\s?[:：][*_]*\s*(.*)$"
)
_EMPTY = ("", "")


def label_of(line: str) -> tuple[str, str]:
    """Return the kind of a header line ("from", "date", …) and its value, or two empty strings."""
    head = line[:60]
    if ":" not in head and "：" not in head:
        return _EMPTY
    match = _LINE.match(line[:400])
    if match is None:
        return _EMPTY
    name = " ".join(match[1].strip(" *_\u200e\u200f").lower().split())
    kind = _KIND_OF.get(name, "")
    return (kind, match[2].strip().strip("*_").strip()) if kind else _EMPTY
