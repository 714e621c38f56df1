"""What people write into their vacation notes: weak signs, to be weighed together."""

import re

WORDING = re.compile(
    r"\b(?:i am|i'm|i will be|i'll be|currently|we are|is) (?:currently |now |"
    r"presently )?(?:out of (?:the )?office|on (?:annual |maternity |paternity |parental |"
    r"sick )?(?:leave|vacation|holiday)|away (?:from|until|on)|not in the office|out until|"
    r"travell?ing)|"
    r"(?:limited|no|not have|without) access to (?:my )?e-?mail|this is an auto(?:matic|"
    r"mated)(?:ally generated)? (?:reply|response|message|e-?mail)|"
    r"automatically generated (?:reply|response)|auto-?reply|will (?:respond|reply|get back|"
    r"return) .{0,60}(?:when|upon|as soon|after) (?:i|my|we)|"
    r"ich bin (?:derzeit |momentan |aktuell |zur zeit |bis |vom |"
    r"ab )?.{0,60}(?:nicht (?:im (?:büro|haus|hause)|erreichbar|am platz|anwesend)|abwesend|"
    r"im urlaub|außer haus|wieder (?:erreichbar|im (?:büro|haus)))|diese (?:nachricht|"
    r"e-?mail) wurde automatisch|automatische antwort|meine e-?mails? (?:werden|wird) nicht|"
    r"je suis (?:actuellement )?(?:absent|en congé|en vacances|hors du bureau|en déplacement)|"
    r"(?:actuellement|je serai) absente?|de retour le|ceci est (?:un|une) (?:message|"
    r"réponse) automatique|"
    r"(?:estoy|estaré|me encuentro) (?:actualmente )?(?:fuera|ausente|de vacaciones)|"
    r"fuera de la oficina|respuesta automática|(?:estou|estarei) (?:fora|ausente|de férias)|"
    r"resposta automática|(?:sono|sarò) (?:fuori|assente|in ferie)|risposta automatica|"
    r"ik ben (?:momenteel |tot |vanaf )?.{0,40}(?:afwezig|niet aanwezig|op vakantie|"
    r"niet op kantoor)|jag är .{0,40}(?:ledig|på semester|inte på kontoret|frånvarande)|"
    r"jeg er .{0,40}(?:på ferie|ikke på kontoret|fraværende)|olen (?:lomalla|poissa)|"
    r"jestem (?:na urlopie|nieobecn)|przebywam na urlopie|"
    r"меня (?:не будет|нет)|нахожусь в отпуске|в отпуске|автоматическ(?:ий|и)|休假|不在办公室|自动回复|"
    r"不在にしております|休暇|自動返信|부재중|자동 (?:회신|응답)",
    re.IGNORECASE,
)
# For a `lowered` text.
WEAK_SUBJECT = re.compile(
    r"out[- ]of[- ](?:the[- ])?office|auto[- ]?(?:reply|response|matic (?:reply|response))|"
    r"vacation|away|on leave|absen[ct]|abwesen|urlaub|congé|vacances|ausen|vacaciones|férias|"
    r"ferie|afwezig|vakantie|semester|отпуск|休假|不在|부재|\booo\b|auto\b"
)
# For a `lowered` text.
AUTOMATIC_WORDS = re.compile(
    r"this is an? (?:auto(?:mated|matic|matically generated)|auto-?generated|computer generated) (?:reply|response|answer|message|e-?mail)|"
    r"(?:do not|don't) (?:reply|respond) to this (?:automated|automatic)|dies ist eine automatisch(?:e| generierte| erstellte) (?:antwort|nachricht|e-?mail|rückmeldung)|"
    r"diese (?:e-?mail|nachricht|antwort) wurde automatisch (?:generiert|erstellt|erzeugt|versandt)|ceci est (?:un|une) (?:message|réponse|courriel|e-?mail) automatique|"
    r"(?:este|esta) es (?:un|una) (?:mensaje|respuesta|correo) automátic|esta é uma (?:mensagem|resposta) automática|questo è un messaggio automatico|questa è una risposta automatica|"
    r"dit is een automatisch (?:gegenereerd|antwoord|bericht)|detta är ett automat|dette er (?:et|en) automat|это автоматическ|to jest (?:automatyczna|wiadomość automatyczna)|toto je automatick|自动回复|自動返信|자동 ?(?:회신|응답)",
)
