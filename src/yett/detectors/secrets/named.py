"""Named: anything that is given the name of a credential, in source code, configuration, a command, a header or a sentence.

A pattern finds a name, how a value is given to it, and the value. What is left of the value decides with it: whether the name as a
whole is that of a credential (`api_key`, but not `api_key_id`, `public_key`, `max_tokens`), and whether the value stands between
quotes, where any text is a value, or bare, where it may be an expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from yett.detectors import entropy
from yett.detectors.detector import Detector
from yett.detectors.expression import compiled
from yett.detectors.secrets.structures import SCHEME, VALUE
from yett.detectors.secrets.token import UUID

# `password`, as people write it in names and in documents of many languages.
_IN_LANGUAGES = (
    r"pa[as]sw(?:or)?d|ps{1,2}w(?:or)?d|pass[_-]word|passwort|passphrase|passcode|kennwort|passw|pwd|pass|pw|contrase(?:n|ñ)a|clave|mot[ _-]de[ _-]passe|mdp|senha|"
    r"wachtwoord|l(?:o|ö)senord|passord|adgangskode|salasana|has(?:l|ł)o|heslo|jelsz(?:o|ó)|parola|sifre|şifre|kata[ _-]sandi|"
    r"пароль|密码|密碼|パスワード|"
    r"비밀번호|비번|패스워드|암호|口令|identified by|(?:wpa|wifi|vpn|pre[_-]?shared)[_-]?(?:psk|key)|preshared"
)
_KEYS = (
    r"api[_. -]?key|apikey|secret|token|credential|creds|access[_. -]?key|(?:auth|private|client|encryption|signing|master|account|"
    r"shared|subscription|license|service|admin|consumer|app|application|webhook|deploy|session|hmac|storage|root|server|api[_. -]?secret|secret|"
    r"validation|decryption|machine|instrumentation|device|write|sas|project|space|team|integration)[_. -]?key|(?:auth|access|api|app|client|consumer|oauth)[_-]?(?:token|secret)|"
    r"authorization|[^a-z]pat|bearer|webhook|토큰|키|トークン|キー|シークレット|令牌|密钥|密鑰|金鑰|токен|ключ|секрет|schl(?:ue|ü)ssel|cl(?:e|é)[ ]api|jeton|chiave|llave|chave"
)
_WEAK = r"key|auth|api|salt|nonce|seed|jwt|session[_-]?id|sessid|cookie|hmac|otp|totp|passkey|login|pin|dsn|cert|crypt"


def in_bytes(names: str) -> str:
    """A pattern for the bytes of UTF-8."""
    return "".join(c if c.isascii() else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in names)


_REST = r"(?:[A-Z0-9_.-][A-Za-z0-9_.-]{0,20}|s)?"
_QUOTE = r"""(?:\\{0,3}["'`]|&quot;|%22)"""
_ARRAY = r"(?:\[[A-Za-z0-9_]{0,8}\])?"
_TYPE = r"[ ]?:[ ]?&?[A-Za-z][A-Za-z<>\[\]?.]{1,20}"
# Chinese, Japanese and Korean put a particle or a verb between a name and what it is, and no space.
_PARTICLE = in_bytes("：|＝|は|是|为|為|는|은")
_EQUALS = rf"[ \t]{{0,12}}(?::{{0,3}}=|={{1,3}}[>~]?|<-|->|[!~?]=|<<<|\|\|[:=]|\?\?=|:{{1,2}}|{_PARTICLE}|%3[AaDd])[ \t]{{0,12}}"
_OPEN = r"""(?:[A-Za-z@$]{0,2}\\{0,3}(?:\"\"\"|'''|'\\?"|["'`])|&quot;|%22)"""
# What makes bytes, a string or an option of a literal; a value in braces (JSX).
_MADE = r"(?:(?:new[ ])?(?:\[\]byte|bytes|b64decode|[sS]tr(?:ing)?(?:::from|\.new)?|Q(?:String(?:Literal)?|Latin1String)|Secret(?:Str|String)?|Some|Buffer\.from|strdup)\([ ]?|\{)"
# Between a name and a value in quotes stands more than an equals sign: a call, a pair of arguments, two attributes of an element.
_GIVEN = (
    rf"(?:{_QUOTE}?\]?\)?{_ARRAY}(?:{_TYPE})?{_EQUALS}|{_QUOTE}?[\])]?[ ](?:\|\||\?\?|or)[ ]|{_QUOTE}?[ \t]{{0,2}},[ \t]{{0,2}}|"
    rf"{_QUOTE}?[ ]?\([ ]?|{_QUOTE}?[ \t]{{1,3}}(?:value|content|default|android:value)[ ]?=[ ]?|"
    rf"{_QUOTE}[ ]?\{{[^{{}}\x00]{{0,52}}default[ ]{{0,6}}=[ ]?|</(?i:key|name)>[ \t\r\n]{{0,16}}<string>|"
    rf"{_QUOTE},[ \t\r\n]{{0,12}}{_QUOTE}?[vV]alue{_QUOTE}?[ ]?:[ ]?|{_QUOTE}[ ]to[ ]|[ \t]{{1,3}}(?:is|was|as|to|by)?[ :]{{0,2}}|[ \t\r\n]{{1,12}}value:[ ]?){_OPEN}"
)
# A literal that something is made of, a field of a form that a test fills in, a prompt that a script answers, `SET PASSWORD FOR`, a type in Basic.
_ANSWERED = (
    rf"(?:[ ]{{0,2}}:?=[ ]{{0,2}}{_MADE}|\]?{_QUOTE}\)?\.(?:send_?[kK]eys|type|fill|(?:set|put)(?:_?[vV]alue)?|val)\([ ]?|[:?]?[ ]?{_QUOTE}[ \t\r\n;{{}}]{{1,12}}(?:exp_)?send[ ](?:--[ ])?|"
    rf"[ ](?i:for)[ ][^=;\r\n\x00]{{1,48}}=[ ]?|[ ](?i:as)[ ][A-Za-z.]{{2,16}}[ ]=[ ]?){_OPEN}"
)
# Before a bare one: the end of a tag, a word of a sentence, the block sign of a YAML value, a remark between brackets.
_BARE = (
    rf"(?:{_QUOTE}?\]?{_EQUALS}(?:[|>][+-]?[\r\n]{{1,2}}[ ]{{1,12}})?|{_QUOTE}?(?:[ ][A-Za-z:]{{2,16}}=[\"'][A-Za-z:/.#0-9_-]{{1,32}}[\"'])?>|"
    r"</(?i:key|name|string)>[ \t\r\n]{0,16}<[a-z]{3,8}>|[ ]?\([A-Za-z0-9 _.-]{1,32}\)[ ]?:[ ]{0,2}|"
    r"[ \t](?:is|was|ist|war|lautet|est|es|era|are|jest|\xc3\xa9|\xc3\xa8|\xc3\xa4r)[ \t]?:?[ \t]{0,2}|[ \t](?:(?:is|was)[ ])?set to[ ]|[\r\n][ \t]{1,12}value:[ ]{1,2})"
)
# What a value may be wrapped in: a call, a list, what it stands in for, a scheme, the cell of a table. In few words for names and
# signs: the automaton refuses all of these times all of those.
_CREDENTIAL = (
    r"ps{0,2}wo?r?d|pass(?:w(?:or)?d|phrase|code|_word)?|pwd?|secret|token|cred(?:ential)?s?|key|auth|salt|nonce"
)
_GIVES = r"[ \t]{0,4}(?:[:?]?=|=>|:|<-)[ \t]{0,4}"
_CALL = r"(?:new[ ])?[A-Za-z0-9_.:>-]{0,24}(?:\[\])?[({\[]{1,2}[ ]?"
_INSTEAD = rf"{_QUOTE}[A-Za-z0-9_.-]{{1,24}}{_QUOTE}(?:,|\)[ ]?(?:or|\|\||\?\?))[ ]?"
_IN_EXPRESSION = (
    rf"""(?:(?:\{{|["'`]?\]?\)?\.(?:to(?:Be|Equal|StrictEqual)|to[ ]eq|should[ ]eq|isEqualTo|equals)\(|{_QUOTE}:[ ]return[ ]|[ ]?:[ ]?&'[a-z_]{{1,12}}[ ]str[ ]=[ ]|"""
    rf"{_GIVES}(?:[A-Za-z0-9_.$>-]{{1,32}}[ ]?(?:\|\||\?\?|or|\+)|\{{[ ]?{_QUOTE}?[a-z_]{{1,12}}{_QUOTE}?[ ]?[=:])[ ]){_OPEN}|"
    rf"{_QUOTE}[ ]?/?>[ \t\r\n]{{0,12}}<[A-Za-z:]{{3,12}}>)"
)
_NEXT_LINE = r":?[ ]?(?:\r?\n|\\n)[ \t]{0,8}"
_SCHEMES = r"(?i:basic|bearer|token|apikey|bot|ntlm|ssws|!!str|!unsafe)[ ]"
_QUOTED_TAIL = r"[A-Za-z0-9!#$&()*+./:=?@^_~{}\[\]<>|;,-]*"

_PASSWORD_NAMES, _KEY_NAMES, _WEAK_NAMES, _ALL_NAMES = (
    compiled(f"(?i:{in_bytes(names)})") for names in (_IN_LANGUAGES, _KEYS, _WEAK, f"{_IN_LANGUAGES}|{_KEYS}|{_WEAK}")
)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]*")
_IDENTIFIER_END = re.compile(r"[A-Za-z0-9_.-]*$")
_LAST_WORD = re.compile(r"[A-Za-z]*$")
_GOES_ON = re.compile(r"(?!s[^a-z])[a-z]")
_QUOTES = ('"', "'", "`")
_PASSED = re.compile(
    r"(?i)/passwd[ \"',]*$|(?<![\w.-])pass(?: (?:to|as|by|is|was))?[ \"'`]*$"
)  # pass `x=1`, pass to `f2`; read('/etc/passwd', 'utf8')
_PASSES = ("pass", "passwd")
_SHORT = (
    "pass",
    "pw",
    "pwd",
    "clave",
    "mdp",
    "key",
    "pin",
    "otp",
    "auth",
    "api",
    "salt",
    "seed",
    "cert",
    "login",
    "pat",
)  # ends of other words, too
_PASSWORDS = ("pass", "pw", "pwd", "clave", "mdp")
_NOT_ALWAYS = frozenset({*_SHORT, "salt", "nonce"}.difference(_PASSWORDS))
_OWNERS = (
    "my",
    "db",
    "user",
    "usr",
    "admin",
    "root",
    "ftp",
    "ssh",
    "sql",
    "mysql",
    "smtp",
    "mail",
    "http",
    "login",
    "api",
    "store",
    "keystore",
    "truststore",
    "key",
    "bind",
    "pg",
    "redis",
    "proxy",
    "wifi",
    "vpn",
)
_PLAIN_VALUE = re.compile(r"[\"'`]$|[A-Z0-9_]=$|[?&;][a-z_]{1,30}=$")  # between quotes, in an environment or a query
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]{1,8}){2,}$")
_RESOURCE = re.compile(r"arn:[a-z-]+:[^\s\"']*:secret:$")  # the name of a secret in a vault
_HEX = re.compile(r"[A-Fa-f0-9]+")
_UUID_OR_HEX = re.compile(rf"{UUID}|[A-Fa-f0-9]+")
_ALGORITHM = re.compile(
    r"(?i)(?:sha|md|aes|rsa|des|ed|[hrep]s|utf|base|argon|pbkdf|scrypt|oauth|x|http|ipv|blake|hmac|ecdsa|secp|v)[-_]?[0-9]"
)
_SIGNED = re.compile(r"[\w!#$%^*@.+=~-]*[!#$^*@][\w!#$%^*@.+=~-]*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# With these in its name, a value is about a credential, or is one of another kind (a page, a lexer's unit, a place in a table).
_OTHER_AFTER = frozenset(
    "name names id ids uid file filename filepath path paths dir directory folder url urls uri endpoint type types length len size sizes "
    "count counts num number max min field fields label hint policy policies reset expiry expires expiration exp ttl age lifetime "
    "timeout algorithm alg algo format ref refs arn version source sources host header headers prefix suffix class index idx map mapping "
    "list param params parameter var env variable provider manager store service audience issuer scope status state error errors message msg "
    "placeholder title text help description required enabled disabled rotation regex pattern input form page usage budget limit "
    "position event code codes word words board frame stroke press up down chain ring space vault pair stone mode strategy "
    "attribute attr column property mgmt management created updated modified date time at on checker validator strength generator handler "
    "callback function func method request response spec rule rules group kind option options config configuration resolver template "
    "sign plugin screen view button link icon image color change changed success failed invalid missing confirm confirmation forgot "
    "signer usages ops thumbprint fingerprint encode decode encoded encoding strip split join replace startswith endswith getbytes charset mgr realm store digest salt sha md arn".split()
)  # fmt: skip
_OTHER_BEFORE = frozenset(
    "public pub csrf xsrf max num min total prompt completion input output cached foreign sort partition cache registry hot arrow "
    "dict map lookup page next prev continuation sync cursor pagination stop pad eos bos unk mask sep cls special idempotency translation "
    "i18n order message object routing bucket row column unique group meta query sequence shortcut keyboard natural surrogate composite "
    "lifecycle change vault hashed verification verify authenticity antiforgery requestverification no without forgot reset invalid wrong tracking partition".split()
)  # fmt: skip


# A word that somebody chose, where source code or a configuration gives it to exactly a password: not what forms, types and messages put there.
_EXACT = r"(?i:passw(?:or)?d|passwort|passphrase|pwd|pass|senha)"
_CHOSEN = re.compile(r"[a-z]{6,24}|[a-z]+[A-Z][A-Za-z]{2,20}|[a-z]{2,12}(?:-[a-z]{2,12}){2,5}")
_LABEL = re.compile(
    r"(?i)pass|pwd|secret|token|(?<!mon)key|user|name|string|text|value|hash|field|prompt|crypt|input|requir|option|default|none|null|undefined|true|false|hidden|type|login|"
    r"auth|config|vault|exampl|test|sample|dummy|change|your|label|placeholder|number|bool|confirm|forgot|reset|invalid|wrong|missing|empty|plain|basic|digest|current|"
    r"unset|unknown|optional|redact|mask|encod|object|array|integer|error|message|enter|show|account|strength|generat|file|anonymous|guest|column|query|param|credential|"
    r"contrase|parol|wachtwoord|kennwort|senha|heslo|haslo|clave|code|set|get|new|old|secure|protected|private|public|shared|internal|environment|variable"
)


class _Name(NamedTuple):
    """The name that a value is given to: the words before and after the one that says it is a credential."""

    before: list[str]
    credential: str
    after: list[str]
    inside: bool  # a longer word
    path: bool  # the last part of one: an image, which a tag follows

    @property
    def other(self) -> bool:
        """Whether what is named is only about a credential, or is of another kind."""
        if self.credential == "secret" and self.after == ["id"] and "client" not in self.before:
            return False  # of HashiCorp Vault's AppRole: the half that is secret
        if self.credential in {"auth", "authorization"} and self.after == ["code"]:
            return False  # RFC 6749 section 4.1: who has it may have a token
        return self.inside or not (_OTHER_BEFORE.isdisjoint(self.before) and _OTHER_AFTER.isdisjoint(self.after))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _name(names: Any, left: str) -> _Name:
    """The last of the names in `left`, with all of the identifier that it is part of."""
    data = left.encode()
    left = data.decode("latin-1")  # a character for each byte
    found = [match.span() for match in names.finditer(data)]
    ended = (place for place in reversed(found) if not _GOES_ON.match(left, place[1]))
    start, end = next(ended, found[-1] if found else (0, 0))  # the `pat` of `secret_path` is none
    first = start - len(_IDENTIFIER_END.search(left[max(0, start - 40) : start])[0])  # type: ignore[index]
    last = end + len(_IDENTIFIER.match(left, end)[0])  # type: ignore[index]
    credential = left[start:end]
    inside = credential[:1].islower() and credential[1:].isupper()  # OPpASSIGN
    inside |= credential.isupper() and left[end : end + 2].isupper() and left[end : end + 2].isalpha()
    if credential.lower() in _SHORT and start > first:
        inside |= (
            left[start - 1].isalpha()
            and left[start - 1].isupper() == credential[0].isupper()
            and _LAST_WORD.search(left, first, start)[0].lower() not in _OWNERS  # type: ignore[index]
        )
    return _Name(
        _words(left[first:start]),
        credential.lower(),
        _words(left[end:last]),
        inside,
        left[max(0, first - 1) : first] == "/",
    )


def _password(left: str, text: str) -> int:
    if not entropy.password(text, left[-1:] in _QUOTES):
        return 0
    name = _name(_PASSWORD_NAMES, left)
    return 0 if name.other or (name.credential in _PASSES and _PASSED.search(left)) else len(text)


def _word(left: str, text: str) -> int:
    if not _CHOSEN.fullmatch(text) or _LABEL.search(text):
        return 0
    name = _name(_PASSWORD_NAMES, left)
    return 0 if name.other or name.after else len(text)


def _key(left: str, text: str) -> int:
    text = text.partition("%22")[0]
    likely = entropy.key(text, uuid=True) or (_PLAIN_VALUE.search(left) and entropy.chosen(text)) or _with_signs(text)
    if not likely or _RESOURCE.search(left):
        return 0
    name = _name(_KEY_NAMES, left)
    if name.after == ["id"] and not entropy.mixed(text):
        return 0
    return 0 if name.other or (name.credential == "authorization" and SCHEME.match(text)) else len(text)


def _weak(left: str, text: str) -> int:
    """A name that other things bear, too, wants a value that nothing else has."""
    drawn = entropy.classes(text) == 3 and text.isalnum() and bool(_PLAIN_VALUE.search(left))
    if (
        len(text) < (10 if drawn else 16)
        or _CONSTANT.match(text)
        or not (entropy.key(text) and entropy.mixed(text) and (drawn or entropy.entropy(text) >= 3.2))
    ):
        return 0
    name = _name(_WEAK_NAMES, left)
    # Clouds call the first of two keys primary; and so does every database the column that identifies a row.
    if name.other or name.path or ("primary" in name.before and len(text) < 32):
        return 0
    if not {"gpg", "pgp"}.isdisjoint(name.before) and _HEX.fullmatch(text):
        return 0  # the fingerprint of who signs releases
    return (
        0 if name.credential == "nonce" and "<" in left else len(text)
    )  # of a script in a page, for its content security policy


def _with_signs(text: str) -> bool:
    """Both cases, digits and a sign, and none that expressions in source code have: a password."""
    return bool(len(text) >= 8 and _SIGNED.fullmatch(text) and entropy.classes(text) == 4 and entropy.password(text))


def _stands_out(text: str) -> bool:
    issued = entropy.key(text, uuid=True) and (entropy.mixed(text) or entropy.digits(text) < 2)
    return issued or _with_signs(text)


def _made_up(text: str) -> bool:
    """What a person makes up, where nothing but a password stands: a word with a number, which is no name of an algorithm."""
    return entropy.digits(text) > 0 and entropy.chosen(text) and not _ALGORITHM.match(text)


def _wrapped(between: re.Pattern[str], left: str, text: str) -> int:
    """Where other values stand as well, only what looks issued, or has the signs that passwords are made up with."""
    stands_out = _stands_out(text)
    if not stands_out and not _made_up(text):
        return 0
    name = _name(_ALL_NAMES, left[: between.search(left).start()])  # type: ignore[union-attr]
    likely = stands_out or name.credential.startswith(_PASSWORDS)
    return 0 if name.other or name.path or not likely or _identifies(name, text) else len(text)


def _identifies(name: _Name, text: str) -> bool:
    """A `key` of a row, a cache or a signer: short, or in hexadecimal, as digests and fingerprints are."""
    return name.credential in _NOT_ALWAYS and (len(text) < 16 or _UUID_OR_HEX.fullmatch(text) is not None)


def _directed(left: str, text: str) -> int:
    """The same behind a directive, and what people choose where it is named a password."""
    name = _name(_ALL_NAMES, left)
    chosen = name.credential.startswith("pass") and entropy.password(text)
    return 0 if name.other or _identifies(name, text) or not (chosen or _stands_out(text)) else len(text)


def _named(
    id: str, kind: str, names: str, judge: Callable[[str, str], int], value: str, tail: str, quoted: str = ""
) -> tuple[Detector, ...]:
    """The quoted and the bare form, and the bare one after a type."""
    names = in_bytes(names)
    return (
        Detector(
            id=f"{id}-quoted",
            kind=kind,
            pattern=rf"(?i:{names}){_REST}{_GIVEN}({quoted or value})",
            judge=judge,
            tail=_QUOTED_TAIL,
        ),
        Detector(
            id=f"{id}-answered",
            kind=kind,
            pattern=rf"(?i:{names}){_ANSWERED}({value})",
            judge=judge,
            tail=_QUOTED_TAIL,
        ),
        Detector(
            id=f"{id}-typed",
            kind=kind,
            pattern=rf"(?i:{names}){_REST}{_TYPE}[ ]{{0,2}}=[ ]{{0,2}}({value})",
            judge=judge,
            tail=tail,
        ),
        Detector(id=f"{id}-named", kind=kind, pattern=rf"(?i:{names}){_REST}{_BARE}({value})", judge=judge, tail=tail),
    )


def _wrapped_in(what: str, between: str, value: str = VALUE) -> Detector:
    return Detector(
        id=f"credential-in-{what}",
        kind="secret.generic-key",
        pattern=rf"(?i:{_CREDENTIAL}){_REST}{between}({value}{{8,64}})",
        judge=partial(_wrapped, re.compile(rf"(?:{between})\Z")),
        tail=f"{value}*",
    )


# A parameter of a URL ends where the next one begins, or an escaped quote; a password may have either character in it.
_KEY_VALUE = VALUE.replace("%&", "")
# Between quotes `%` may be part of a key, but not the escape of a quote, which the judge sees.
_QUOTED_KEY_VALUE = VALUE.replace("%&", "%")
# A digit is asked for by the pattern: of all that is assigned to a `key`, nearly nothing else has one.
_WEAK_VALUE = f"{_KEY_VALUE.replace('0-9', '')}{{0,40}}[0-9]{_KEY_VALUE}{{6,60}}"

NAMED: tuple[Detector, ...] = (
    *_named("password", "secret.password", _IN_LANGUAGES, _password, f"{VALUE}{{4,64}}", f"{VALUE}*"),
    *_named(
        "key",
        "secret.generic-key",
        _KEYS,
        _key,
        f"{_KEY_VALUE}{{8,64}}",
        f"{_KEY_VALUE}*",
        f"{_QUOTED_KEY_VALUE}{{8,64}}",
    ),
    *_named("weak-key", "secret.generic-key", _WEAK, _weak, _WEAK_VALUE, f"{_KEY_VALUE}*"),
    _wrapped_in("call", rf"{_QUOTE}?{_GIVES}{_CALL}{_OPEN}"),
    _wrapped_in("default", rf"{_GIVES}{_CALL}{_INSTEAD}{_OPEN}"),
    _wrapped_in("scheme", rf"{_QUOTE}?{_GIVES}[\"'`]?{_SCHEMES}"),
    _wrapped_in("expression", _IN_EXPRESSION),
    Detector(
        id="credential-in-line",
        kind="secret.generic-key",
        pattern=rf"(?i:{_CREDENTIAL})[A-Za-z0-9_.]{{0,12}}{_NEXT_LINE}({VALUE}{{0,40}}[0-9]{VALUE}{{0,40}})",
        judge=partial(_wrapped, re.compile(rf"{_NEXT_LINE}\Z")),
        tail=f"{VALUE}*",
    ),
    _wrapped_in("cell", r"[ ]{0,2}[|,\t][ ]{0,2}", r"[A-Za-z0-9_+/=.~!#$%^&*@-]"),
    Detector(
        id="credential-in-directive",
        kind="secret.generic-key",
        pattern=rf"[^A-Za-z](?:ENV|ARG|[sS]et[eE]nv|setx|SETX|%global|%define|fastcgi_param)[ \t]{{1,4}}[A-Za-z0-9_.-]{{0,24}}(?i:{_CREDENTIAL}){_REST}[ \t]{{1,4}}({VALUE}{{6,64}})",
        judge=_directed,
        tail=f"{VALUE}*",
    ),
    Detector(
        id="password-word",
        kind="secret.password",
        pattern=rf"""(?:{_EXACT}{_QUOTE}?\]?[ \t]{{0,12}}(?:=>|:?={{1,3}}|:)[ \t]{{0,12}}|(?i:identified by)[ ]){_OPEN}([A-Za-z-]{{6,32}})["'`\\&]""",
        judge=_word,
    ),
    Detector(
        id="password-bare-word",
        kind="secret.password",
        pattern=r"(?:PASS(?:W(?:OR)?D)?=|PWD=|[._](?:password|passwd|pass|pwd)=|<(?i:password|passwd|pwd)>)([A-Za-z-]{6,32})[ \t\r\n\x00<]",
        judge=_word,
    ),
    Detector(
        id="password-flag",
        kind="secret.password",
        pattern=r"(?i:[^A-Za-z0-9]-{1,2}[a-z-]{0,20}(?:pass(?:word|wd|phrase)?|pwd|secret|token|api-?key|access-?key|account-?key))[ \t]{1,2}"
        rf"""["']?({VALUE}{{5,128}})""",
        judge=_password,
        tail=f"{VALUE}*",
    ),
)
