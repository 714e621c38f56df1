"""Lines that introduce a quotation: "On Monday Ann wrote:" in the languages of mail programs."""

import re

# Verbs that end or carry an attribution. Matched without regard to case.
_VERBS = (
    # English
    r"wrote", r"writes", r"said", r"has written", r"scribbled", r"typed", r"stated",
    # German, Dutch, Scandinavian, Finnish, Estonian, Icelandic
    r"schrieb(?:en)?", r"geschrieben", r"schreibt", r"schreef", r"geschreven", r"skrev(?:et)?",
    r"skreiv", r"skrifaði",
    r"kirjoitti", r"kirjutas",
    # French, Spanish, Portuguese, Italian, Catalan, Galician, Romanian, Basque
    r"a écrit", r"a ecrit", r"écrivait", r"escribió", r"escribio", r"ha escrito", r"escreveu",
    r"ha scritto",
    r"scrive", r"scrisse", r"va escriure", r"ha escrit", r"escribiu", r"a scris", r"scris",
    r"idatzi du",
    # Polish, Czech, Slovak, Slovene, Croatian, Serbian, Hungarian, Lithuanian, Latvian
    r"napisał(?:a|\(a\)|/a)?", r"napisal(?:a|\(a\))?", r"pisze", r"napsal(?:a|\(a\)|/a)?",
    r"napísal(?:a|\(a\)|/a)?",
    r"je napisal(?:a|\(a\))?", r"je napisao(?:/la)?", r"napisao(?:/la)?", r"piše", r"píše",
    r"ezt írta", r"írta",
    r"rašė", r"rakstīja",
    # Russian, Ukrainian, Bulgarian, Serbian
    r"писал(?:а|\(а\))?", r"написал(?:а|\(а\))?", r"пишет", r"написав(?:ла|\(ла\))?",
    r"писав(?:ла)?", r"пише", r"написа",
    r"је написао(?:/ла)?",
    # Greek, Turkish, Hebrew, Arabic, Persian, Hindi
    r"έγραψε", r"yazdı", r"yazmış", r"şunu yazdı", r"כתב(?:ה|/ה)?", r"كتب(?:ت)?", r"نوشت",
    r"ने लिखा",
    # Vietnamese, Indonesian, Malay, Thai
    r"đã viết", r"menulis", r"เขียนว่า", r"เขียน",
    # Chinese, Japanese, Korean
    r"写道", r"寫道", r"書きました", r"さんは書きました", r"のメール", r"님이 작성", r"작성", r"썼습니다", r"님이 쓴 글",
)  # fmt: skip

VERB = re.compile(
    r"(?:^|[\s>\"'”»)\]»,.日時분초0-9\u3000-\u9fff\uac00-\ud7a3])(?:"
    + "|".join(_VERBS)
    + r")(?![a-zà-ÿа-я])",
    re.IGNORECASE,
)

# How such a line begins. With a verb and a colon at its end it is one even without a quotation below.
_OPENERS = (
    r"on\b", r"at\b", r"in article\b", r"in message\b", r"am\b", r"den\b", r"le\b", r"el\b",
    r"em\b", r"a \d", r"no dia\b", r"il\b", r"il giorno\b",
    r"op\b", r"på\b", r"w dniu\b", r"dnia\b", r"dne\b", r"dňa\b", r"în\b", r"pe\b", r"la data\b",
    r"в\b", r"от\b", r"на\b", r"у\b",
    r"στις\b", r"tarihinde\b", r"בתאריך", r"ב-", r"في", r"در", r"pada\b", r"vào\b", r"于", r"在",
    r"於", r"เมื่อ", r"dana\b", r"dňa\b",
    r"\d{4}[-年./]", r"\d{1,2}[./-]", r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[ ,.]",
    r"(?:mo|di|mi|do|fr|sa|so)[., ]",
    r"(?:lun|mar|mer|mié|jeu|jue|ven|vie|sam|sáb|dim|dom|gio|sab)[a-zé]*[ ,.]",
    r"(?:pon|wt|śr|czw|pt|sob|niedz)[a-z]*[ ,.]",
    r"(?:пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье)[ ,.]",
    r"(?:po|út|st|čt|pá|so|ne)[ ,.]", r"(?:må|ma|ti|on|to|fr|lö|lør|sö|søn)[a-zåöø]*[ ,.]",
    r"(?:ke|pe|la|su)[ ,.]",
)  # fmt: skip
OPENER = re.compile(r"^[\s*_\"'(-]*(?:" + "|".join(_OPENERS) + ")", re.IGNORECASE)

ADDRESS = re.compile(r"[^\s<>()\[\]\"':;,@]+@[^\s<>()\[\]\"':;,]+")
DATE = re.compile(
    r"\b\d{1,2}[:.h]\d{2}\b|\b(?:19|20)\d{2}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|"
    r"\d{1,2}月\d{1,2}日|\d{1,2}월 ?\d{1,2}일"
)
# "Quoting Ann <a@example.com>:", "Zitat von …:", "Citando …:" (Horde and its kin).
QUOTING = re.compile(
    r"^\s*(?:quoting|zitat von|zitiere|citando|citado por|citát|citace|quotation from|selon|"
    r"scrive|cytowanie|цитирую|mensaje citado por|"
    r"reply to|in reply to|antwort auf|réponse à)\b.{1,200}:\s*$",
    re.IGNORECASE,
)
# "---- On Monday Ann wrote ----" (Zoho, old Android).
BETWEEN_RULES = re.compile(r"^\s*-{2,}\s*\S.{3,300}?\s*-{2,}\s*$")
COLON_END = re.compile(r"[:：︰;]\s*[*_]*\s*$")
