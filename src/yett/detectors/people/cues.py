"""Cues: what a text says before a name or behind one, in the languages of the gazetteer."""

from __future__ import annotations

import re


def _expanded(phrases: str) -> set[str]:
    return {phrase.strip(" ,:").casefold() for phrase in phrases.split("|")}


TITLES = frozenset(
    (
        "mr mrs ms miss mx dr prof professor sir madam madame messrs herr herrn frau fräulein monsieur mme mlle señor señora señorita sr sra srta"
        " don doña dona sig signor signora signorina dott dottor dottssa dottoressa avv ing dipl mag bc mgr judr mudr phdr rndr pan pani pán paní pana panu"
        " úr úrhölgy fru hr frk meneer mevrouw dhr mevr mw heer bay bayan sayın domnul doamna dl dna senhor senhora gospodin gospođa gospa gospod"
        " г-н г-жа господин госпожа доктор пан пані др κος κα κύριος κυρία κύριε δρ kapten rev reverend hon capt captain sgt lt col"
        " السيد السيدة الأستاذ الأستاذة الدكتور الدكتورة المهندس المهندسة آقای خانم دکتر מר גב' גברת ד״ר ד\"ר श्री श्रीमती डॉ कुमारी जी জনাব திரு திருமதி ông bà anh chị cô bapak ibu pak bu tn ny"
    ).split()
)
# Behind one of these a name follows, whatever it is. `\Z` is where the name begins.
_FIELDS = (
    "full name|fullname|first name|firstname|last name|lastname|given name|family name|middle name|maiden name|surname|patient|patient name|customer name|employee|employee name|applicant|candidate|cardholder|card holder|name on card|beneficiary"
    "|account holder|passenger|guest|tenant name|student|contact name|contact person|recipient|addressee|attn|attention|signed by|signed|signatory|witness|next of kin|emergency contact|spouse|owner name|holder|insured|policyholder|lessee|buyer name|client name|user name"
    "|vorname|nachname|familienname|ansprechpartner|ansprechpartnerin|kontoinhaber|karteninhaber|kundenname|empfänger|versicherter|unterzeichnet|patientin"
    "|prénom|nom de famille|nom complet|nom et prénom|titulaire|destinataire|bénéficiaire|signé"
    "|nombre completo|nombre y apellidos|nombre y apellido|apellidos|apellido|nombre del cliente|titular|destinatario|paciente|firmado"
    "|nome completo|sobrenome|apelido|beneficiário|assinado|cognome|nome e cognome|intestatario|paziente|firmato"
    "|voornaam|achternaam|volledige naam|contactpersoon|ontvanger|imię i nazwisko|imię|nazwisko|odbiorca|pacjent|jméno a příjmení|příjmení|meno a priezvisko|priezvisko"
    "|teljes név|vezetéknév|keresztnév|címzett|ügyfél neve|nume și prenume|prenume|adı soyadı|ad soyad|soyadı|müşteri adı|ime i prezime|prezime|ime in priimek|priimek"
    "|förnamn|efternamn|fornavn|etternavn|efternavn|etunimi|sukunimi|koko nimi|eesnimi|perekonnanimi|vardas ir pavardė|pavardė|vārds un uzvārds|uzvārds"
    "|фио|имя|фамилия|отчество|получатель|пациент|пацієнт|ім'я|прізвище|піб|отримувач|име|ονοματεπώνυμο|όνομα|επώνυμο|παραλήπτης"
    "|氏名|お名前|名前|姓名|联系人|聯絡人|收件人|客户姓名|患者|이름|성명|성함|수령인|담당자|환자|الاسم|الاسم الكامل|اسم العميل|المريض|نام و نام خانوادگی|نام|שם מלא|שם פרטי|שם|नाम|पूरा नाम|नाव|নাম|பெயர்|ชื่อ|ชื่อ-นามสกุล|họ tên|họ và tên|nama|nama lengkap"
)
_SAID = (
    "my name is|my name's|his name is|her name is|the name is|their name is|name is|i am called|mein name ist|ich heiße|ich heisse|er heißt|sie heißt|je m'appelle|je m’appelle|mon nom est|il s'appelle|elle s'appelle|me llamo|mi nombre es|se llama|su nombre es"
    "|meu nome é|me chamo|chamo-me|o meu nome é|mi chiamo|il mio nome è|si chiama|mijn naam is|ik heet|nazywam się|mam na imię|jmenuji se|jmenuju se|volám sa|moje meno je|a nevem|az én nevem|mă numesc|numele meu este|benim adım|adım|ismim|zovem se|ime mi je|moje ime je|jag heter|mitt namn är|jeg hedder|mit navn er|jeg heter|mitt navn er|nimeni on|minun nimeni on"
    "|minu nimi on|mano vardas|mans vārds ir|меня зовут|мое имя|моё имя|мене звати|моє ім'я|казвам се|името ми е|με λένε|το όνομά μου είναι|ονομάζομαι|私の名前は|私は|わたしは|我叫|我的名字是|我是|我的名字叫|제 이름은|저는|이름은|اسمي|اسمي هو|انا اسمي|نام من|اسم من|קוראים לי|שמי|השם שלי|मेरा नाम|माझे नाव|আমার নাম|என் பெயர்|ผมชื่อ|ฉันชื่อ|ดิฉันชื่อ|ชื่อ|tên tôi là|tôi tên là|tôi là|nama saya|nama saya adalah"
)
FIELDS = frozenset(_expanded(_FIELDS))
SAID = frozenset(_expanded(_SAID))
# Behind one of these, a name follows often: enough for a word that is one.
_MAYBE = (
    "name|nom|nombre|nome|naam|név|ime|navn|namn|nimi|numele|ad|isim|customer|client|user|author|contact|kontakt|kunde|kundin|client|cliente|klient|owner|agent|manager|sender|from|to|cc|bcc|by|von|an|de|para|da|a|dear|hi|hello|hey|hallo|liebe|lieber|sehr geehrter|sehr geehrte|guten tag|bonjour|salut|cher|chère|hola|querido|querida|estimado|estimada|olá|oi|caro|cara|ciao|gentile|beste|geachte|drogi|droga|szanowny|szanowna|cześć|ahoj|dobrý den|vážený|vážená|kedves|tisztelt|bună|dragă|stimate|merhaba|sevgili|sayın|hej|kära|kjære|kære|moi|hei|tere|dragi|draga|здравствуйте|привет|уважаемый|уважаемая|дорогой|дорогая|вітаю|шановний|шановна|здравей|γεια σου|αγαπητέ|αγαπητή"
    "|i am|i'm|i’m|this is|it's|it is|call me|speaking with|spoke with|spoke to|speak to|speak with|talk to|met|met with|meet|ask for|contact|write to|report to|reports to|assigned to|bill to|ship to|deliver to|sold to|on behalf of|born to|married to|regards,|sincerely,|cheers,|thanks,|best,|yours,|truly,|love,|grüße|grüßen|freundlichen grüßen|cordialement,|saludos,|atentamente,|saluti,|abraços,|groeten,|pozdrawiam,|üdvözlettel,|hälsningar,"
    "|invite|tell|told|asked|ask|remind|email|e-mail|call|text|with|for|and|und|et|y|e|i|og|och|ja|ve|и|та|και|mit|für|avec|pour|con|por|met|voor|z|dla|для|с|на имя|bin|ich bin|je suis|soy|sono|ik ben|jestem|son|eu sou|sou|jsem|vagyok|sunt|ben|jag är|jeg er|olen|я|это|hier ist|ici|aquí|es"
)
# Two words behind one of these are a person's, even when nobody knows them.
WRITTEN = frozenset(
    _expanded(
        "written by|signed by|contact|kontakt|kontakta|contacter|contattare|contacto con|contate|contact op met|contacto|geschrieben von|wenden sie sich an|écrit par|escrito por|scritto da|geschreven door|napisał|napisała|napsal|napsala|napísal|skrevs av|skrevet af|skrevet av|kirjoitti|ühendust|írta|"
        "написал|написала|написав|написала|свяжитесь с|зверніться до|επικοινωνήστε με|γράφτηκε από|kontaktujte|kontaktujte prosím|kontaktirajte|spoke with|spoke to|met with|on behalf of|assistant to|here's|meet"
    )
)
LABELS = frozenset(
    "name nom nombre nome naam név navn namn nimi numele ime meno jméno isim adı имя ім'я име όνομα".split()
)
MAYBE = frozenset(_expanded(_MAYBE))
# Who follows is written to, or writes, or says who he is.
GREETED = frozenset(
    _expanded(
        "dear|hi|hello|hey|hallo|liebe|lieber|bonjour|salut|cher|chère|hola|querido|querida|estimado|estimada|olá|oi|caro|cara|ciao|gentile|beste|geachte|drogi|droga|cześć|ahoj|kedves|tisztelt|bună|dragă|merhaba|sevgili|hej|kära|kjære|kære|moi|hei|привет|здравствуйте|уважаемый|уважаемая|дорогой|дорогая|γεια σου|αγαπητέ|αγαπητή"
        "|regards|sincerely|cheers|many thanks|thanks|yours truly|mit freundlichen grüßen|viele grüße|cordialement|saludos|atentamente|cordiali saluti|atenciosamente|met vriendelijke groet|pozdrawiam|üdvözlettel|hälsningar|i am|i'm|i’m|this is|call me|calls me|ich bin|je suis|soy|sono|ik ben|jestem|eu sou"
    )
)
# Behind a name: what people do and own, and companies do not.
BEHIND = re.compile(
    r"(?:['’]s (?:e-?mail|phone|account|address|birthday|house|number|passport|salary|wife|husband|son|daughter|mother|father|card|password|record)|,? \(?(?:born|aged|age) |\b,? (?:lives|lived|works|worked|called|wrote|said|says|told|asked|emailed|signed|complained|reported|requested|died|married|resigned|joined) |\s?<[\w.+-]+@|, \d\d[,)]| \(\d\d\))"
)
# What makes a company, a place or a thing of the name before it.
COMPANY = re.compile(
    r"(?i)[ ,]{1,2}(?:&|and sons|inc\b|ltd\b|llc\b|llp\b|plc\b|corp\b|co\b|gmbh\b|ag\b|kg\b|ohg\b|s\.?a\.?\b|s\.?r\.?l\b|s\.?p\.?a\b|sarl\b|b\.?v\b|n\.?v\b|a/s\b|ab\b|oy\b|kft\b|zrt\b|sp\. ?z|group\b|holdings?\b|company\b|partners\b|associates\b|industries\b|bank\b|university\b)|, [^\W\d_]{2,20}(?:,? (?:and|und|et|y|e|&) )[^\W\d_]"
)
# The last of several surnames that are a firm: `Barnett, Melton and` Garcia.
PARTNERS = re.compile(r"[^\W\d_], [^\W\d_]+,? (?:and|und|et|y|&) \Z")
PARTNER_BEFORE, PARTNER_BEHIND = re.compile(r"[^\W\d_], \Z"), re.compile(r",? (?:and|und|et|y|&) [^\W\d_]")
# Patronymics, and endings that only surnames have.
SURNAME_ENDINGS = re.compile(
    r"(?i).{3,}(?:sson|sen|dóttir|dottir|[oe]vi[cčć]|wicz|ń?sk[aiy]|skaya|[oy]eva|ova|cki|cka|quist|gaard|owski|owska|ewski|ewska|czyk|enko|енко|овна|евна|ович|евич|ична|івна|ов|ова|ев|ева|ский|ская|ський|ська|чук|швили|shvili|adze|yan|ian|ян|escu|eanu|oğlu|oglu|nen|ová|ova|opoulos|όπουλος|opoulou|ίδης|idis|άκης|akis|mann|stein|berger|meier|meyer)\Z"
)
THINGS = frozenset(
    (
        "street st avenue ave road rd lane ln drive dr boulevard blvd court ct place pl square sq way terrace parkway highway circle close crescent university college school academy institute hospital clinic church cathedral park gardens garden river lake mountain mount island"
        " bay beach valley hill hills county city town village airport station bridge tower hall house center centre museum library theatre theater hotel inn restaurant cafe stadium arena award prize medal foundation trust bank inc ltd llc corp plc llp sarl corporation incorporated limited kg ohg oy ab bv nv srl spa gmbh group company holdings"
        " records press news times post journal review magazine theorem lemma algorithm law effect method model equation distribution transform filter test syndrome disease scale number constant function process chain field server framework api sdk studio cloud code project desktop mobile pro plus max mini"
        " edition version release series programming language cup league open championship union republic kingdom empire state states province district region north south east west northern southern eastern western central"
        " mein meine unser unsere ihr ihre sein seine mon ma mes notre votre mi mis su sus nuestro nuestra il lo gli mio mia suo sua der die das le les une un una el los las"
        " the a an this that these those in on at if when while after before rue via rua calle avenida avenue unlike bible gospel day eve night week monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december"
        " english french german spanish italian european american british chinese japanese russian team customer support service sales engineering department office world friend all everyone everybody there sirs colleague colleagues"
        " assistant user system claude gemini siri alexa cortana copilot jenkins travis ansible vagrant gradle maven apache django flask ruby julia python perl java kotlin scala swift rust elixir haskell pascal ada oracle cassandra jupyter pandora lambda tesla ford mercedes dell philips siemens bosch nokia"
        " visa mastercard paypal amazon google microsoft apple facebook meta netflix spotify adobe intel nvidia docker kubernetes linux ubuntu debian windows android chrome safari firefox github gitlab"
    ).split()
)
# Names that are places, months and other things more often: one of them alone is nobody.
ALSO = frozenset(
    (
        "rome paris berlin boston london vienna milan florence sydney austin dallas houston denver phoenix madison charlotte savannah lincoln jackson orlando adelaide victoria alexandria carolina virginia georgia dakota india china africa asia america europe york israel jordan kenya chad cuba lima santiago"
        " troy geneva lourdes odessa verona siena ravenna valencia cordoba washington houston cleveland dayton raleigh salem trenton memphis brooklyn bronx chelsea kingston hamilton wellington perth melbourne dublin lisbon madrid barcelona seville granada sevilla toledo lyon nancy nice cologne munich hamburg dresden bremen essen prague warsaw"
        " kiev lviv minsk riga malta cyprus ireland holland ethiopia somalia nigeria sahara sinai francia italia russia ukraine romania bulgaria croatia serbia bosnia albania macedonia andorra panama bolivia chile argentina colombia guyana jamaica bermuda bahama tonga samoa fiji"
        " jan feb mar apr may jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun nan dolly mercury venus mars jupiter saturn neptune pluto titan phoenix christmas easter eden zion islam hindu lord god jesus christ allah buddha satan zeus apollo athena hermes"
        " danish dutch polish finn mister angel self harm nova echo alpha beta gamma delta omega sigma theta zeta iota kappa king queen prince princess duke earl baron royal bishop pope abbot deacon major general sergeant marshal judge page price cash bond stone wood field forest brook lane ford"
        " love joy hope faith grace summer autumn winter spring dawn star sunny stormy rain river ocean coral pearl ruby jade amber crystal diamond gem goldie silver rose lily daisy iris violet ivy holly hazel olive heather fern basil sage cherry candy ginger honey"
    ).split()
)
# Words that are names of companies together.
BRANDS = frozenset(
    "morgan stanley|wells fargo|goldman sachs|hugo boss|calvin klein|ralph lauren|louis vuitton|harley davidson|jack daniels|jack daniel|aston martin|lockheed martin|philip morris|eli lilly|levi strauss|tommy hilfiger|charles schwab|johnnie walker|ben jerry|warner bros|walt disney|estee lauder|marc jacobs|jimmy choo|kate spade|stella artois|dr pepper|dr martens|alfa romeo|tim hortons|trader joe|red hat|santa claus|san francisco|los angeles|saudi arabia|new york|new zealand|sri lanka|san marino|santa fe|buenos aires|monte carlo|mont blanc|costa rica|el salvador".split(
        "|"
    )
)
PARTICLES = frozenset(
    "van von der den de del della di da dos das do du la le les el al bin ibn bint ben af av zu zum zur ter ten te op 't und st mc mac dal dalla degli lo san santa vom abu".split()
)
