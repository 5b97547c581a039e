"""What is given the name of a credential, in the many ways that this is written; and what only looks like that."""

from __future__ import annotations

import pytest
from tests.detectors.examples import HEX, RANDOM

from yett.detectors.engine import Scanner
from yett.detectors.secrets.named import NAMED

KEY = RANDOM[:24]
WORD = "Kd83" + "kd2S"


@pytest.fixture(scope="module")
def named() -> Scanner:
    return Scanner(NAMED)


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        # source code
        ("password = '", WORD, "';"),
        ('String dbPassword = "', WORD, '";'),
        ("const apiKey: string = '", KEY, "';"),
        ('let token: &str = "', KEY, '";'),
        ("val password: String = ", WORD, "\n"),
        ('private_token := "', KEY, '"'),
        ('char password[32] = "', WORD, '"'),
        ('set_password("', WORD, '")'),
        ("config['secret'] = '", KEY, "'"),
        ("'secret' => '", KEY, "',"),
        ('define("DB_PASSWORD", "', WORD, '");'),
        ('os.getenv("API_KEY", "', KEY, '")'),
        ('"password" to "', WORD, '"'),
        ('if (password == "', WORD, '")'),
        ('strcmp(password, "', WORD, '")'),
        ('#define WIFI_PASS "', WORD, '"'),
        ('token = """', KEY, '"""'),
        ('password = "', "abc1{d}[e],f;9g", '"'),
        ('secret = "', "supersecret123", '"'),
        ('passwd := []byte("', WORD, '")'),
        ('password = "', "swordfish", '"'),
        ('"db_password": "', "openSesame", '"'),
        ("'pass' => '", "blue-river-stone", "'"),
        ("DB_PASSWORD=", "swordfish", "\n"),
        ("app.password=", "swordfish", "\n"),
        ("<password>", "swordfish", "</password>"),
        ("IDENTIFIED BY '", "swordfish", "';"),
        ('final String secret = new String("', KEY, '");'),
        ('<Map apiKey={"', KEY, '"} />'),
        ('password <- "', WORD, '"'),
        ('Dim password As String = "', WORD, '"'),
        ("process.env.API_TOKEN || '", KEY, "'"),
        ("ENV['PASSWORD'] ||= '", WORD, "'"),
        ('os.getenv("API_KEY") or "', KEY, '"'),
        ("buildConfigField 'String', 'API_KEY', '\"", KEY, "\"'"),
        ('driver.find_element(By.ID, "password").send_keys("', WORD, '")'),
        ("cy.get('input[name=password]').type('", WORD, "')"),
        ('expect "Password:" { send "', WORD, '\\r" }'),
        ('secret_id = "', KEY, '"'),
        ('primary_key = "', KEY + KEY[:16], '"'),
        # configuration
        ("SECRET_KEY=", "supersecret123", "\n"),
        ('{"password":"', WORD, '"}'),
        ('\\"password\\": \\"', WORD, '\\"'),
        ("spring.datasource.password=", WORD, "\n"),
        ("DB_PASS: ", WORD, "\n"),
        ("<password>", WORD, "</password>"),
        ('<Password xsi:type="xsd:string">', WORD, "</Password>"),
        ("<key>APIKey</key>\n  <string>", KEY, "</string>"),
        ('variable "db_password" {\n  type    = string\n  default = "', WORD, '"\n}'),
        ("hmac_secret: |\n  ", KEY, "\n"),
        ('WIFI_PSK="', WORD, '"'),
        ("secretkey:", KEY, "\n"),
        ('validationKey="', HEX[:40], '"'),
        ('<add key="ApiKey" value="', KEY, '"/>'),
        ('{"name": "API_TOKEN", "value": "', KEY, '"}'),
        ("- name: DB_PASSWORD\n  value: ", WORD, "\n"),
        ("SET PASSWORD FOR 'ada'@'%' = '", WORD, "';"),
        ("トークン: ", KEY, "\n"),
        ("密钥：", KEY, "\n"),
        ("パスワードは", WORD, "です"),
        ("Das Passwort lautet ", WORD, ""),
        # commands, requests, statements
        ("curl https://x.io/?api_key=", HEX[:32], "&v=1"),
        ("client_secret%22%3A%22", KEY, "%22"),
        ("-e MYSQL_ROOT_PASSWORD=", WORD, " mysql"),
        ("x login --password ", WORD, " -v"),
        ("az storage blob list --account-key ", WORD, ""),
        ("CREATE USER a IDENTIFIED BY '", WORD, "'"),
        ("X-Auth-Token: ", KEY, "\r\n"),
        # sentences
        ("the password is ", WORD, ""),
        ("the root password was set to ", WORD, ""),
        ("token (until tomorrow): ", KEY, ""),
        ("Passwort: ", WORD, ""),
        ("contraseña: ", WORD, ""),
        ("пароль: ", WORD, ""),
        ("비밀번호: ", WORD, ""),
        ("密码：", WORD, ""),
        # names that other things bear, too
        ('key = "', HEX[:32], '"'),
        ("salt: ", RANDOM[:24], ""),
    ],
)
def test_credentials(named: Scanner, before: str, value: str, after: str) -> None:
    text = before + value + after
    assert [text[found.start : found.end] for found in named.scan_text(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "password = get_password(request)",
        'password: str = Field(..., description="the password")',
        "password = password2",
        'password = "get_password(x)"',
        'password: "${DB_PASSWORD}"',
        "password: {{ vault_password }}",
        "password = os.environ['DB_PASSWORD']",
        "password=$1 password=%s password=<password>",
        'type="password" id="current-password" autocomplete="new-password"',
        '"password.reset.title": "Reset2"',
        f'"next_page_token": "{KEY}"',
        f'"public_key": "{KEY}"',
        f"csrf_token = {KEY}",
        f"token_type: {KEY}",
        f'secret_name = "{KEY}"',
        f'api_key_id: "{KEY}"',
        "max_tokens: 4096, max_tokens=1234567890",
        f'bypass = "{WORD}"',
        f"compass: {WORD}",
        "HTTPWindow99 = PWINDOW_FIND_99",
        "LPWIN32_FIND_DATAA = PWIN32_FIND_DATAA",
        "you may also pass ``custom_context=True``",
        'token = "token123", secret = "http2", token=item2name',
        f'{{"hashed_secret": "{HEX[:40]}"}}',
        "Pass `stream=True` if you want a stream, and `kwargs` to pass to `httpx2.request`.",
        f'{{"key_sha256": "{HEX}", "key_md5": "{HEX[:32]}"}}',
        "readFile('/etc/passwd', 'utf8')",
        "('OPpASSIGN_COMMON_SCALAR', 'OPpASSIGN_COMMON_RC1')",
        "my $pwd = CPAN::anycwd(); s/&/ucfirst(lc($pw->name))/ge",
        "Cipher is ECDHE-RSA-AES128-GCM-SHA256",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-km62rp",
        "access_key->AWS_ACCESS_KEY_ID",
        "key: 2024-01-31T12:30:45, key: v1.2.3-beta4, api_key: 1234567890123456",
        "keyword: 12ab34cd56ef78ab90, monkey = 12ab34cd56ef78ab90",
        'key = "short12"',
        'key = "settings/application/production2024"',
        f'primary_key = "{KEY}"',
        f'client_secret_id = "{KEY}"',
        '"SecretId": "MyTestDatabaseSecret1"',
        '"ChangeToken": "2f1b9c52-7a0e-4d53-9a34-1c0d2f6e8b71"',
        "key=TYPE_AQI_PM25_IN_24H",
        'api_key = "0123456789abcdef0123456789abcdef"',
        'password = "required", "password": "Kennwort", password: "string", passwordField = "surname"',
        'password = "swordfish is long"',
        'password_file = "swordfish", PASSWORD=changeme, <password>hidden</password>',
        f'<script src="a.js" nonce="{KEY}">',
        f"image: registry.example.org/team/api:prod-{HEX[:40]}",
        "Authorization: AWS4-HMAC-SHA256 Credential=",
        'auth(user or "", password or "")(request.headers2)',
        'secret = "io.jsonwebtoken:jjwt-jackson-0.11.2"',
        "read_csv(join(pwd, './data/set-1.csv'))",
    ],
)
def test_no_credentials(named: Scanner, text: str) -> None:
    assert [text[found.start : found.end] for found in named.scan_text(text)] == []
