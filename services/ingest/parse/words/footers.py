"""Signatures and the footers of phones and list servers, as they stand at the end of a mail."""

import re
from collections.abc import Iterable

SEPARATOR = re.compile(r"^(?:-- ?|--\s*|—\s*|–\s*|__ ?|-- ?<br>)$")
ROW = re.compile(r"^\s*([-=_*~━─＊=]\s?){3,80}\s*$")
CONTACT = re.compile(
    r"\b(?:tel|phone|fon|mobile?|fax|e-?mail|mail|url|web|www)\b\s?[:.：]|\+\d[\d ()-]{7,}|https?://|[^\s@]+@[^\s@]+\.\w|℡|電話",
    re.IGNORECASE,
)
DASHED_NAME = re.compile(
    r"^\s*[-–—~]{1,2}[A-ZÀ-ÖØ-ÞА-Я][\w.'’]{0,20}(?: [A-ZÀ-ÖØ-ÞА-Я][\w.'’]{0,20}){0,2}\s*$"
)
NAME = re.compile(r"^[^\W\d_a-z][^\W\d_]*[.]?(?:[ -][^\W\d_]+[.]?){0,3}$")
SCANNER_RULE = re.compile(r"^(?:-{2,5} ?|_{5,})\s*$")
SCANNER = re.compile(
    r"checked for viruses|virus-?free|auf viren (?:geprüft|überprüft)|virenfrei|"
    r"(?:absence|exempt) de virus|libre de virus|(?:analis|verific|comprob)ad[oa] .{0,40}virus|"
    r"gecontroleerd op virussen|antivirus\b.{0,40}(?:software|scan)",
    re.IGNORECASE,
)
LIST_RULE = re.compile(r"^_{30,}\s*$")
LIST_FOOTER = re.compile(
    r"mailing list|mailman|listinfo|unsubscribe|liste de diffusion|mailingliste|lista de correo|"
    r"lists\.|to post to this group|google groups",
    re.IGNORECASE,
)

_DEVICE = r"(?:[\w .\-+®™'’/]{0,60})"
_SENT_FROM = (
    (rf"sent (?:from|via|with|using|by|on) (?:my |the |an? )?{_DEVICE}(?:iphone|ipad|ipod|ios|mac|"
    rf"android|samsung|galaxy|blackberry|nokia|windows|phone|mobile|mobiel|tablet|device|"
    rf"handheld|outlook|mail|gmail|yahoo|huawei|xiaomi|redmi|htc|lg|motorola|moto|sony|xperia|"
    rf"nexus|pixel|oneplus|k-9|k9|aquamail|spark|airmail|mailbox|proton ?mail|proton|mailbird|"
    rf"bluemail|nine|typemail|wireless|verizon|t-mobile|at&t|palm|treo|boxer|superhuman|hey|"
    rf"front|fairemail|thunderbird|zoho|polymail|canary|edison|newton|kindle|surface|workspace|"
    rf"postbox|tutanota|fastmail|missive|webmail|laptop|computer|watch|mailspring)(?:[ ,;.–-].{{0,80}})?"),
    r"get (?:outlook|spike|mailspring|bluemail) for .{1,20}", r"download (?:the )?(?:mail|outlook) .{0,20}",
    r"sent from .{1,30} (?:for|on) (?:ios|android|windows(?: 10| 11)?|iphone|ipad|mobile)",
    r"(?:diese (?:nachricht|e-?mail|mail) wurde )?(?:von|mit) (?:meine[mr]|mein) .{0,50}(?:gesendet|gesandt|verschickt|verfasst|geschickt)",
    r"gesendet (?:von|mit|über|vom|aus) .{1,60}", r"von unterwegs gesendet",
    r"von (?:meinem )?(?:iphone|ipad|handy|smartphone|android)\b.{0,30}",
    r"diese nachricht wurde von mein(?:em|er) .{1,50} gesendet", r"am handy geschrieben.*",
    r"outlook für (?:ios|android) (?:beziehen|herunterladen|abrufen).*",
    r"envoyé (?:de|depuis|à partir de|avec|via|par) .{1,60}", r"envoyée? (?:de|depuis) .{1,60}",
    r"télécharger outlook pour .{1,20}", r"obtenez outlook pour .{1,20}", r"provenance : .{1,40}",
    r"obtenir outlook pour .{1,20}",
    r"enviado (?:desde|de|do|a partir do|con|com|via|pelo|por|del) .{1,60}",
    r"enviada (?:desde|de|do) .{1,60}", r"enviat (?:des d[e']|amb) ?.{1,60}",
    r"obtener outlook para .{1,20}", r"obter o outlook para .{1,20}",
    r"obtenha o outlook para .{1,20}", r"mandado desde .{1,40}",
    r"inviato (?:da|dal|dall'|dalla|con|tramite|dall’) ?.{1,60}", r"scarica outlook per .{1,20}",
    r"ottieni outlook per .{1,20}",
    r"verzonden (?:vanaf|met|via|vanuit|door) .{1,60}",
    r"verstuurd (?:vanaf|met|via|vanuit|door|van) .{1,60}",
    r"outlook voor (?:ios|android) downloaden.*", r"download outlook voor .{1,20}",
    r"skickat från .{1,60}", r"skickat? (?:med|via) .{1,60}", r"hämta outlook för .{1,20}",
    r"sendt fra .{1,60}", r"sendt (?:med|via) .{1,60}", r"hent outlook (?:til|for) .{1,20}",
    r"lähetetty .{1,60}", r"hanki outlook .{1,20}", r"lataa outlook .{1,20}",
    r"wysłan[eoya] (?:z|przy|za pomocą|ze) .{1,60}",
    r"pobierz (?:program |aplikację )?outlook (?:dla|na) .{1,40}",
    r"odesláno (?:z|ze|pomocí) .{1,60}", r"odoslané (?:z|zo|pomocou) .{1,60}",
    r"získat outlook pro .{1,20}", r"poslano (?:z|sa|iz) .{1,60}", r"(?:el)?küldve (?:az? )?.{1,60}",
    r"trimis de (?:pe|la|pe un) .{1,60}", r"obțineți outlook pentru .{1,20}",
    r"отправлено (?:с|из|от|через|по|со) .{1,60}", r"послано (?:с|из) .{1,60}",
    r"надіслано (?:з|із|від|зі) .{1,60}", r"изпратено от .{1,60}", r"послато (?:са|с) .{1,60}",
    r"скачать outlook для .{1,20}", r"загрузить outlook для .{1,20}",
    r"στάλθηκε από .{1,60}", r"εστάλη από .{1,60}", r"αποστολή από .{1,40}",
    r"נשלח מ.{1,60}", r"أ?ُ?رسلت? من .{1,60}", r"تم الإرسال من .{1,60}", r"مرسل من .{1,60}",
    r"الحصول على outlook.{0,30}", r"ارسال شده از .{1,60}", r"फ़ोन से भेजा गया",
    r"मेरे .{1,30} से भेजा गया",
    r"dikirim dari .{1,60}", r"dihantar dari .{1,60}", r"được gửi từ .{1,60}",
    r"đã gửi từ .{1,60}", r"gửi từ .{1,60}", r"ส่งจาก.{1,60}", r"发自我的.{1,40}", r"發自我的.{1,40}",
    r"從我的.{1,40}(?:傳送|寄出|發送)", r"从我的.{1,40}发送", r"发自.{1,40}", r"发送自.{1,40}", r"發自.{1,40}",
    r"傳送自.{1,40}", r"来自.{1,30}(?:客户端|手机|邮箱)", r"获取 ?outlook.{1,20}", r"取得 ?outlook.{1,20}",
    r"i(?:phone|pad)から", r"outlook (?:for|を).{1,30}(?:入手|取得)", r"나의 .{1,30}에서 보냄",
    r"내 .{1,30}에서 보냄", r"outlook.{1,20}(?:받기|다운로드)",
    r"posláno z .{1,60}", r"saadetud minu .{1,40}", r"nosūtīts no .{1,60}", r"išsiųsta iš .{1,60}",
    r"sent via .{1,40}", r"sent using .{1,40}", r"sent with .{1,40}", r"sent from (?:my )?.{1,40}",
    r"von .{1,20} gesendet", r"mobil gesendet.*", r"composed on .{1,30}",
    r"typed (?:on|with) my .{1,60}",
)  # fmt: skip
# Where the device comes first; tried only with a word of theirs, since they begin anywhere.
_SENT_LAST = (
    r".{1,40}(?:iphone|ipad|android|készülék).{0,20}(?:küldve|küldtem)",
    r".{0,40}(?:iphone|ipad|android|telefon|cihaz|samsung|outlook).{0,30}(?:gönderildi|gönderilmiştir|gönderdim)",
    r".{0,30}(?:iphone|ipad|android|携帯|スマートフォン|xperia|スマホ)から(?:送信|投稿|の送信).{0,10}",
    r".{1,40}에서 (?:보냄|보낸 메일|전송|보냈습니다)",
)  # fmt: skip
SENT_LAST_WORDS = ("küld", "gönder", "から", "에서")


def _footer(said: Iterable[str]) -> re.Pattern[str]:
    """An expression for a `lowered` line."""
    return re.compile(
        r"^[\s>*_\[(\-–—•~|]*(?:"
        + "|".join(said)
        + r")[\s.!)\]>*_|]*(?:<?\(?https?://\S+\)?>?|\[\S+\])?[\s.!>)\]]*$"
    )


MOBILE = _footer(_SENT_FROM)
MOBILE_LAST = _footer(_SENT_LAST)
MAX_MOBILE_CHARACTERS = 110  # a footer is one short line
