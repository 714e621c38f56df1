"""The charset of undeclared bytes, guessed by how common the letters are that each one gives."""

import re

# Letters by which a right reading shows, and the share of them that real text has.
_KANA = "のにはをたがでてとしれさあいうおかきくこちつなねまみもやよらりるろわんプリンター"
_CANDIDATES = (
    ("cp1251", "оеаинтсрвлкмдпуязьбг", 0.85),
    ("koi8_r", "оеаинтсрвлкмдпуязьбг", 0.85),
    ("cp1253", "αοιετσνηυρπκμλςάίόέή", 0.85),
    ("cp1255", "יוהלאתרמבשנעםדקפחטןצ", 0.9),
    ("cp1256", "اليمنورتبةعدسفهكحقجش", 0.9),
    ("cp874", "านรอกเงมยลวดทสตะปบคห่้ิีั์ไแ", 0.85),
    ("gb18030", (
        "的一是不了人我在有这中大来上个国到说们为子和你地出道也时年得就那要下以生会自去之过家"
        "学对可里后小么心多天而能好都没日起还发成事只作当想看文无开手用主行方如前所本见经面公"
        "同已动两您请谢问价票收产品帮助格少"
    ), 0.45),
    ("big5", (
        "的一是不了人我在有這中大來上個國到說們為子和你地出道也時年得就那要下以生會自去之過家"
        "學對可裡後小麼心多天而能好都沒日起還發成事只作當想看文無開手用主行方如前所本見經面公"
        "同已動兩您請謝問價票收產品幫助格少"
    ), 0.45),
    ("cp932", _KANA, 0.5),
    ("euc_jp", _KANA, 0.5),
    ("cp949", (
        "이다는의가에을를하니고로지기사요안녕도한해세주시서어그나리라일자제수있습것들만정대부"
        "인전"
    ), 0.5),
)  # fmt: skip
_LATIN = (
    ("cp1252", "äöüßéèàçêôîâëïñãõåøæáíóúÄÖÜÉÀÇÅØÆ“”’–…€ìòù"),
    ("cp1250", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻěščřžýáíéůúťďňőűŐŰŠČŘŽăâîșț”„–’"),
    ("iso8859_2", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻěščřžýáíéůúťďňőűŐŰŠČŘŽ"),
    ("cp1254", "ğışçöüİĞŞ"),
)
_MIN_LATIN = 3  # letters from which a script other than Western can be told
_HALF = 0.5


def guess(data: bytes) -> str:
    """Return the codec whose reading looks most like language, "" when none does."""
    best, found = _HALF, ""
    for codec, common, usual in _CANDIDATES:
        score = _share(data, codec, common) / usual
        if score > best:
            best, found = score, codec
    return found


def guess_latin(data: bytes) -> str:
    """Return the codec of a text in Latin letters; Western unless another reads clearly better."""
    found, best = "cp1252", _share(data, "cp1252", _LATIN[0][1])
    if len(re.findall(rb"[\x80-\xff]", data)) < _MIN_LATIN:
        return found
    for codec, common in _LATIN[1:]:
        score = _share(data, codec, common)
        if score > best + 0.2:
            found, best = codec, score
    return found


def _share(data: bytes, codec: str, common: str) -> float:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return 0.0
    foreign = [c for c in text if c > "\x7f"]
    return sum(c.lower() in common or c in common for c in foreign) / max(len(foreign), 1)
