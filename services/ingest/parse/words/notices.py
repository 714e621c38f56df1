"""What mail systems write about mail they could not deliver."""

import re

COPY = re.compile(
    r"^[ \t\r\xa0>*#=_|-]*+(?:(?:(?<=--)|(?<=-- )).{0,30}?)?(?:below this line is a copy|this is a copy of (?:the|"
    r"your) message|a copy of (?:the|your) (?:original )?message|(?:your |"
    r"the )?original message(?: (?:follows|headers|text|contents|below|attached))?\b(?! was received)|"
    r"returned message|start of (?:the )?(?:original|returned|forwarded) message|"
    r"message headers? follow|the header(?:s)? of the original|included below|"
    r"unsent message(?: below)?|message contents|message text|rejected message|headers? (?:of|"
    r"from) (?:the )?(?:original|message)|the following (?:is|are) (?:the )?(?:(?:a )?copy|"
    r"headers?|first)|undelivered message follows|original mail|-+ ?message header|-+ ?kopie der|"
    r"-+ ?ursprüngliche|message d'origine|mensaje original)"
    r"|^(?:received: (?:from|by)|return-path: ?<|x-mailer:|dkim-signature:|mime-version: 1|"
    r"content-type: (?:text|multipart)/)",
    re.IGNORECASE | re.MULTILINE,
)
DELAY = re.compile(
    r"warning message only|do not need to re-?send|(?:has|have) (?:not yet been|"
    r"been) (?:delivered|delayed)|delivery (?:to .{1,80})?(?:has been|is|was) delayed|"
    r"delayed delivery|will (?:continue to (?:try|be)|keep trying|be retried|retry|try again)|"
    r"still (?:being retried|trying)|could not send (?:message )?for (?:the )?past|"
    r"temporar(?:y|ily) (?:failure|problem|deferred|delay|undeliverable)|message (?:is|"
    r"still) (?:undelivered|delayed)|delivery attempts will continue|no action is required|"
    r"not yet been delivered|mail system will retry|wird (?:weiterhin|weiter) versucht|verzögert|"
    r"zustellversuche|encore tenté|sera retent|seguirá intentando|continuará tentando",
    re.IGNORECASE,
)
FINAL = re.compile(
    r"gave up|giving up|given up|permanent(?:ly)?|fatal|could(?: not|n't) be delivered|"
    r"was(?: not|n't) delivered|undeliverable|delivery (?:has )?failed|failed permanently|"
    r"unknown user|user unknown|no such (?:user|recipient|mailbox|person)|does(?: not|n't) exist|"
    r"5\d\d[ -]5\.|<<< 5\d\d|too long|expired|returned to sender|unrouteable|not (?:listed|"
    r"found)|rejected|"
    r"unable to deliver|cannot deliver|nicht zugestellt|nicht zustellbar|unzustellbar|unbekannt|"
    r"impossible|n'a pas pu|no (?:se )?(?:pudo|ha podido)|não (?:foi|pôde)|не (?:удалось|может|"
    r"доставлен)|mailbox (?:is )?full|quota|disabled|inactive|invalid|bad address|not exist|"
    r"did not reach|no valid recipients|unknown host|host unknown|(?:was|been) blocked|"
    r"error occurred while trying to deliver|550|554|553|552",
    re.IGNORECASE,
)
EXPLAINS = re.compile(
    r"deliver|recipient|address|mailbox|user|host|domain|zugestellt|empfänger|adresse|"
    r"destinatai?r|distribu|entrega|mensaje|usuario|usuário|consegn|recapit|bezorg|ontvanger|"
    r"mottagar|modtager|доставл|получател|адрес|投递|收件人|送達|宛先|配信|받는|전송|550|553|554|smtp|message|"
    r"mail",
    re.IGNORECASE,
)
NOT_RECIPIENTS = re.compile(
    r"^(?:postmaster|mailer-daemon|abuse|helpdesk-?noreply|noreply|hostmaster|dns-?admin|mail-?admin)@",
    re.IGNORECASE,
)
ADVICE = re.compile(
    r"contact|assistance|help|questions?|mailto|support|wenden sie|contacter|sender|from:|reporting|generated|on behalf|feedback|return-path|message-id|received|message id",
    re.IGNORECASE,
)
