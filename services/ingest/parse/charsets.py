"""Bytes to text when the declared charset is right, wrong, unknown or missing."""

import codecs
import re
from functools import lru_cache

from charset_normalizer import from_bytes

from services.ingest.parse.charset_guess import guess, guess_latin

# What mailers write, and the superset that other mail programs read it as (WHATWG Encoding).
_ALIASES = {
    "ansi": "cp1252",
    "ansi_x3.4-1968": "ascii",
    "cp-850": "cp850",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "hz-gb-2312": "hz",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "iso-8859-1": "cp1252",
    "iso-8859-11": "cp874",
    "iso-8859-6-i": "iso8859_6",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-9": "cp1254",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "macintosh": "mac_roman",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "ascii",
    "utf-8mb4": "utf-8",
    "utf8mb4": "utf-8",
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "windows-936": "gb18030",
    "windows-949": "cp949",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-mac-ce": "mac_latin2",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
    "x-user-defined": "cp1252",
}
_NOT_TEXT = frozenset(
    [
        "rot13",
        "rot-13",
        "hex",
        "base64",
        "bz2",
        "zlib",
        "uu",
        "quopri",
        "punycode",
        "idna",
        "unicode-escape",
        "raw-unicode-escape",
        "undefined",
        "mbcs",
        "oem",
    ]
)
_SEVEN_BIT = frozenset(
    {"utf-7", "hz", "iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_kr"}
)
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_MIXED = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_SAMPLE_BYTES = 4096  # enough to tell a charset; detection is the slowest step of a parse
_SURE_SEQUENCES = 3  # this many valid UTF-8 sequences do not happen by chance


def decode(data: bytes, declared: str = "", hint: str = "") -> str:
    """Return the text of the bytes; never fails, and never believes a wrong declaration.

    ``hint`` is a charset named elsewhere in the mail, used when nothing else says what it is.
    """
    name = codec_name(declared)
    if name in _SEVEN_BIT or name.startswith(("utf-16", "utf-32")):
        return _decode_wide(data, name)
    if data.isascii():
        return _decode_ascii(data)
    if data.startswith(codecs.BOM_UTF8):
        data, name = data[3:], "utf-8"
    if (text := _as_utf8(data, name)) is not None:
        return text
    if name and name not in {"utf-8", "ascii"}:
        return _decode_declared(data, name)
    return _decode_unknown(data, name, codec_name(hint))


@lru_cache(maxsize=512)
def codec_name(declared: str) -> str:
    """Return Python's codec for a charset label, "" when there is none for text."""
    label = declared.strip().strip("\"'").lower().split("*")[0]
    label = re.split(r"[\s;,\"']", label, maxsplit=1)[0] if label else ""
    label = _ALIASES.get(label, label)
    if not label or label in _NOT_TEXT or label.replace("_", "-") in _NOT_TEXT:
        return ""
    for candidate in (label, label.removeprefix("x-"), label.removeprefix("charset=")):
        try:
            info = codecs.lookup(candidate)
        except (LookupError, ValueError, UnicodeError):
            continue
        return _ALIASES.get(info.name, info.name) if info._is_text_encoding else ""  # noqa: SLF001
    return ""


def _decode_ascii(data: bytes) -> str:
    """Seven-bit data is ASCII, unless it carries the escapes of ISO-2022."""
    if b"\x1b$" in data:
        name = "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_ext"
        return _decode_japanese(data) if name == "iso2022_jp_ext" else data.decode(name, "replace")
    return data.decode("ascii")


def _decode_japanese(data: bytes) -> str:
    """Decode ISO-2022-JP, with the characters that Windows adds in row 13 (circled numbers)."""
    text = data.decode("iso2022_jp_ext", "replace")
    if "\ufffd" not in text:
        return text
    wider = data.replace(b"\x1b$B", b"\x1b$(Q").decode("iso2022_jp_2004", "replace")
    return wider if wider.count("\ufffd") < text.count("\ufffd") else text


def _decode_wide(data: bytes, name: str) -> str:
    if name == "iso2022_jp":
        name = "iso2022_jp_ext"
    if name.startswith("utf-16") and b"\x00" not in data:
        return decode(data)
    if name in _SEVEN_BIT and not data.isascii():
        return decode(data)
    if name == "iso2022_jp_ext":
        return _decode_japanese(data)
    try:
        return data.decode(name).removeprefix("\ufeff")
    except (UnicodeError, ValueError):
        return data.decode(name, "replace")


def _as_utf8(data: bytes, name: str) -> str | None:
    """Read valid UTF-8 as such, whatever was declared, where chance is excluded."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if name in {"", "utf-8", "ascii", "cp1252", "iso8859-15", "cp1250", "cp1254"}:
        return text
    found = sum(
        1 for _ in zip(range(_SURE_SEQUENCES * 2), _UTF8_SEQUENCE.finditer(data), strict=False)
    )
    return text if found >= _SURE_SEQUENCES * 2 else None


def _decode_declared(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except (UnicodeError, ValueError):
        text = data.decode(name, "replace")
    if name.startswith(("cp125", "iso8859", "koi8")):
        return text
    broken = text.count("\ufffd")
    if broken * 20 > len(_HIGH.findall(data)):
        return _decode_unknown(data, "", "")
    return text


def _decode_unknown(data: bytes, name: str, hint: str) -> str:
    """Guess: broken UTF-8 if most of it is, the hint, sparse Western, then statistics."""
    high = len(_HIGH.findall(data))
    covered = sum(len(m) for m in _UTF8_SEQUENCE.findall(data))
    if covered * 2 > high or (name == "utf-8" and covered and covered * 4 >= high):
        return data.decode("utf-8", "replace")
    if hint and hint not in {"utf-8", "ascii"} and hint not in _SEVEN_BIT:
        return data.decode(hint, "replace")
    sample = _sample(data)
    runs = len(_HIGH_RUN.findall(data))
    is_mixed = len(_MIXED.findall(data)) >= runs and high <= 3 * runs
    if high < 2 * runs or is_mixed:  # foreign letters within words of ASCII: a Latin script
        return data.decode(guess_latin(sample), "replace")
    return data.decode(guess(sample) or _by_statistics(sample), "replace")


def _sample(data: bytes) -> bytes:
    """Return the start of the bytes, cut behind a line so that no character is torn."""
    if len(data) <= _SAMPLE_BYTES:
        return data
    cut = data.rfind(b"\n", 0, _SAMPLE_BYTES)
    return data[: cut if cut > 0 else _SAMPLE_BYTES]


def _by_statistics(sample: bytes) -> str:
    best = from_bytes(sample).best()
    return codec_name(best.encoding) or "cp1252" if best is not None else "cp1252"
