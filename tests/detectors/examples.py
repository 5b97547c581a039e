"""Texts with what must be found in them: (text, kind, the span). Literals are split so that secret scanners leave this file alone."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

RANDOM = "Zk3qT9vLw2Xr7NbYc5Md8HsFj4Gp6KaQe1Ru0iVoBtCxDyEzAhSgWfJlUmPnOk"
JWT = ".".join(
    urlsafe_b64encode(part).decode().rstrip("=")
    for part in (
        b'{"alg":"HS256","typ":"JWT"}',
        b'{"sub":"1234567890","name":"Ada","iat":1516239022}',
        RANDOM.encode()[:32],
    )
)
BEGIN, END = "-----BEGIN ", "-----END "
BODY = "\n".join(b64encode((RANDOM * 4).encode()).decode()[i : i + 64] for i in range(0, 256, 64))
PEM = f"{BEGIN}RSA PRIVATE KEY-----\n{BODY}\n{END}RSA PRIVATE KEY-----"
ENCRYPTED_PEM = f"{BEGIN}EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n{BODY}\n{END}EC PRIVATE KEY-----"
ESCAPED_PEM = PEM.replace("\n", "\\n")
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"


def case(before: str, span: str, after: str, kind: str) -> tuple[str, str, str]:
    return before + span + after, kind, span


FOUND: tuple[tuple[str, str, str], ...] = (
    case("key id ", AWS, " is active", "secret.aws-access-key"),
    case("aws_secret_access_key = ", AWS_SECRET, "\n", "secret.aws-secret-key"),
    case('"SecretAccessKey": "', AWS_SECRET, '",', "secret.aws-secret-key"),
    case(f"{AWS}\n", AWS_SECRET, "", "secret.aws-secret-key"),
    case("?key=", "AIza" + RANDOM[:35], "&x=1", "secret.gcp-api-key"),
    case("", "ya29." + RANDOM[:40], "", "secret.gcp-oauth-token"),
    case(
        "AccountName=a;AccountKey=",
        b64encode((RANDOM + "ab").encode()).decode()[:86] + "==",
        ";",
        "secret.azure-storage-key",
    ),
    case("secret: ", "abc8" + "Q~" + RANDOM[:34], " ", "secret.azure-client-secret"),
    case("x-api-key: ", "sk-" + "ant-api03-" + RANDOM + "-" + RANDOM[:20] + "AA", "", "secret.anthropic-key"),
    case("OPENAI_API_KEY=", "sk-" + "proj-" + RANDOM + RANDOM[::-1], "\n", "secret.openai-key"),
    case("use ", "sk-" + RANDOM[:48], " please", "secret.openai-key"),
    case("", "hf_" + RANDOM[:34], "", "secret.huggingface-token"),
    case("", "gsk_" + RANDOM[:52], "", "secret.groq-key"),
    case("", "sk-" + "or-v1-" + HEX, "", "secret.openrouter-key"),
    case("'", "ytk_" + "live_" + RANDOM[:43] + "_" + RANDOM[:6], "'", "secret.yett-key"),
    case("https://x:", "ghp_" + RANDOM[:36], "@github.com/a/b", "secret.github-token"),
    case("", "github" + "_pat_" + RANDOM[:22] + "_" + RANDOM[:59], "", "secret.github-token"),
    case("token ", "glpat-" + RANDOM[:20], "", "secret.gitlab-token"),
    case("", "xox" + "b-123456789012-" + RANDOM[:24], "", "secret.slack-token"),
    case("https://hooks.slack.com/services/", "T0ABCDEFG/B0ABCDEFG/" + RANDOM[:24], "", "secret.slack-webhook"),
    case("", "sk_" + "live_" + RANDOM[:24], "", "secret.stripe-key"),
    case("", "SK" + HEX[:32], "", "secret.twilio-key"),
    case("", "SG." + RANDOM[:22] + "." + RANDOM[:43], "", "secret.sendgrid-key"),
    case("_authToken=", "npm_" + RANDOM[:36], "", "secret.npm-token"),
    case("", "pypi-" + "AgEIcHlwaS5vcmc" + RANDOM + RANDOM, "", "secret.pypi-token"),
    case("here:\n", PEM, "\nthanks", "secret.private-key"),
    case("", ENCRYPTED_PEM, "", "secret.private-key"),
    case('{"private_key": "', ESCAPED_PEM, '\\n", "a": 1}', "secret.private-key"),
    case("Authorization: Bearer ", JWT, "", "secret.jwt"),
    case("token=", JWT, ".", "secret.jwt"),
    case("postgres://app:", "t0psecre7", "@db.internal:5432/app", "secret.url-password"),
    case("postgres://app:", "p@ss:w0rd", "@db.internal/app", "secret.url-password"),
    case("Authorization: Basic ", b64encode(b"ada:love1ace").decode(), "\r\n", "secret.basic-auth"),
    case("Authorization: Bearer ", RANDOM[:40], '"', "secret.bearer-token"),
    case("password = ", "hunter2", "\n", "secret.password"),
    case('{"DB_PASSWORD": "', "c0rrect-horse", '"}', "secret.password"),
    case("my password is ", "Tr0ub4dor&3", ", ok?", "secret.password"),
    case("api_key: ", RANDOM[:24], "", "secret.generic-key"),
    case("const clientSecret = '", RANDOM[:32], "';", "secret.generic-key"),
    case("write to ", "ada.lovelace+x@mail.example.co.uk", ".", "pii.email"),
    case("<", "a@b.io", ">", "pii.email"),
    case("call ", "+1 415 555 2671", " now", "pii.phone"),
    case("call ", "+44 20 7946 0958", " 12 times", "pii.phone"),
    case("call ", "+49\u202f30\u202f901820", "", "pii.phone"),
    case("at ", "(415) 555-2671", ".", "pii.phone"),
    case("at ", "415-555-2671", ".", "pii.phone"),
    case("phone: ", "030 901820", "", "pii.phone"),
    case("pay with ", "4111 1111 1111 1111", " today", "pii.card"),
    case("pay with ", "4111-1111-1111-1111", ".", "pii.card"),
    case("pay with ", "5500000000000004", "", "pii.card"),
    case("amex ", "3782 822463 10005", "", "pii.card"),
    case("my card number is ", "4222222222222", "", "pii.card"),
    case("to ", "DE89 3704 0044 0532 0130 00", " TODAY", "pii.iban"),
    case("to ", "GB29NWBK60161331926819", ",", "pii.iban"),
    case("to ", "NO93 8601 1117 947", " THEN", "pii.iban"),
    case("ssn ", "123-45-6789", "", "pii.us-ssn"),
    case("social security number: ", "123 45 6789", ".", "pii.us-ssn"),
    case("Classification: ", "Restricted", "\n\nThe plan", "label.restricted"),
    case("**Data classification level:** Highly ", "Restricted", "", "label.restricted"),
    case("TLP:", "RED", " - do not share", "label.restricted"),
    case("[", "RESTRICTED", "] Q3 forecast", "label.restricted"),
    case("", "RESTRICTED", "\nQ3 forecast", "label.restricted"),
    case("Classification: ", "Confidential", "", "label.confidential"),
)

CLEAN: tuple[str, ...] = (
    "Authorization: Basic QWxhZGRpb and Authorization: basic notbase64a, eyJhbGciOiJub25z.eyJhbGciOiJub25z",
    "The quick brown fox jumps over the lazy dog.",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 on branch main",
    "id 123e4567-e89b-12d3-a456-426614174000, trace 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    'integrity "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NFO8KWDwnEYvKLlXdrb2DpVpGMzCKTMoVGUMLEoVw=="',
    "version 1.23.456, python 3.11.9, build 20240131.1, released 2024-01-31 12:30:45",
    "order 4111-22-33, invoice 2024-000123456, SKU 12345678901234",
    "def password(self): return self.password\npassword = os.environ['PASSWORD']\npassword: str = getpass()",
    "api_key = settings.api_key; token = get_token(request); secret=$SECRET; key=${API_KEY}",
    "token_count = 4096, max_tokens: 1024, secretary: Jane, tokenizer=cl100k_base",
    "password: string; the password is required and must be changed",
    "password = 'your-password-here'; api_key = 'xxxxxxxxxxxxxxxxxxxx'; postgres://user:password@localhost/db",
    "icon@2x.png @types/node@18.11.9 git@github.com:a/b.git @decorator user@host",
    "https://example.com:8080/path@v2?x=1 http://localhost:3000/@fs/a",
    "192.168.100.200:8080 fe80::1 10.0.0.1/24 00:1A:2B:3C:4D:5E",
    "pi is 3.14159265358979323846, e is 2.718281828459045, 0.4111111111111111",
    "1700000000000 1700000000 12345678901234567890",
    "SELECT count(*) FROM t WHERE id IN (4012, 8888, 8888, 1881);",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQsw\n-----END CERTIFICATE-----",
    'a file that begins with "-----BEGIN RSA PRIVATE KEY-----" holds a private key',
    "AKIA is a prefix; sk-learn, sk-button and ghp_ are words; eyJ is how a JWT begins",
    "restricted stock units, confidential computing, the classification of animals",
    "日本語のテキストには空白がありません。パスワードは秘密です。",
    "🙂🙂 emoji, combining e\u0301, and a lone \ud83d surrogate",
)
