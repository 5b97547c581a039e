"""Data: databases, warehouses, analytics, and the strings that connect to them.

Sources: each provider's own documentation; RFC 3986 for the user information of a URL; Microsoft's ADO.NET, ODBC and JDBC
connection string references; PostgreSQL's libpq keywords.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.token import after, token


def _user_password(text: str) -> bool:
    """What stands between `user:` and `@host`; a port, a template and a placeholder are none."""
    if len(text) < 3 or text[0] in "<*&{" or entropy.template(text) or (text.isdigit() and len(text) < 6):
        return False
    return not entropy.placeholder(text) or text.lower() in _WEAK


_WEAK = frozenset(("admin", "secret", "root"))


def _alone(text: str) -> bool:
    """A token where a user stands, whose name is in words."""
    return entropy.key(text) and entropy.mixed(text)


def _connected(text: str) -> bool:
    """The value of `Password=` in a connection string, where anything but a placeholder is meant as it stands."""
    text = text.rstrip("\"'")
    return len(text) >= 4 and not entropy.placeholder(text) and not entropy.template(text)


DATA: tuple[Detector, ...] = (
    token("planetscale-token", r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.=-]{32,64}"),
    token("neon-key", r"napi_[a-z0-9]{60,68}"),
    token("supabase-token", r"sbp_(?:oauth_|v0_)?[a-f0-9]{40}"),
    token("supabase-secret-key", r"sb_secret_[A-Za-z0-9_-]{24,40}"),
    token("clickhouse-key", r"4b1d[A-Za-z0-9]{38}"),
    token("tinybird-token", r"p\.eyJ1[A-Za-z0-9_-]{40}", r"[A-Za-z0-9_.-]*"),
    token("dbt-token", r"dbt[uc]_[A-Za-z0-9_-]{36,48}"),
    token("astra-token", r"AstraCS:[A-Za-z0-9]{24}:[a-f0-9]{64}"),
    token("segment-token", r"sgp_[A-Za-z0-9]{64}"),
    token("aiven-password", r"AVNS_[A-Za-z0-9_-]{19}"),
    token("mongodb-service-secret", r"mdb_sa_sk_[A-Za-z0-9_-]{40}"),
    token("neon-password", r"npg_[A-Za-z0-9]{12,16}"),
    token("cockroach-key", r"CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}"),
    token("materialize-key", r"mzp_[a-f0-9]{64}"),
    token("confluent-secret", r"cflt[A-Za-z0-9+/]{60}"),
    after("convex-key", r"(?:prod|dev|preview):[a-z]{3,12}-[a-z]{3,12}-[0-9]{1,4}\|", r"[A-Za-z0-9+/]{40}", tail=r"[A-Za-z0-9+/=]*"),
    token("xata-key", r"xau_[A-Za-z0-9]{32,48}"),
    token("dagster-token", r"(?:agent|user):[a-z0-9-]{2,40}:[a-f0-9]{32}"),
    token("metabase-key", r"mb_[A-Za-z0-9+/=]{44}"),
    token("databento-key", r"db-[A-Za-z0-9]{29}", valid=entropy.mixed),
    after("snowflake-session", r"[^A-Za-z0-9]", r"ver:1-hint:[0-9]{1,20}-ETMsDg[A-Za-z0-9+/_-]{40}", tail=r"[A-Za-z0-9+/=_-]*"),
    Detector(
        id="url-password",
        kind="secret.url-password",
        pattern=r"[A-Za-z0-9]:(?:\\?/){2}[A-Za-z0-9._~%!$&*+=-]{0,64}:([A-Za-z0-9._~%!$&()*+=:?^#@-]{3,100})@[A-Za-z0-9_.\[{$-]",
        accept=when(_user_password),
    ),
    # A token in the place of the user, and no password: of a registry, a clone, a report of errors.
    Detector(
        id="url-token",
        kind="secret.url-password",
        pattern=r"[A-Za-z]:(?:\\?/){2}([A-Za-z0-9_~-]{20,100})@",
        accept=when(_alone),
        anchor=r":(?:\\?/){2}[A-Za-z0-9_~-]{20}",
    ),
    # ADO.NET, ODBC, JDBC, libpq, AMQP and MQTT client strings: after a server, a database or a user.
    Detector(
        id="connection-string-password",
        kind="secret.connection-string",
        pattern=r"(?i:(?:server|data source|host|hostname|database|initial catalog|user id|userid|uid|user|username|endpoint|driver|port|authenticationtype)"
        r"[ ]?=[^;=\r\n\"\x00]{1,40}[;&?][ ]?(?:[a-z ]{2,16}=[^;=\r\n\"\x00]{0,16};[ ]?)?(?:password|pwd|passwd|pass)[ ]?=[ ]?)'?([A-Za-z0-9!#$%&()*+./:=?@^_~-]{4,100})",
        accept=when(_connected),
        tail=r"[A-Za-z0-9!#$%()*+./:=?@^_~{}\[\]|<>-]*",
    ),
    Detector(
        id="oracle-connect",
        kind="secret.connection-string",
        pattern=r"(?i:sqlplus(?:[ ]-[sl]{1,2})?[ ]{1,3}|jdbc:oracle:thin:)[A-Za-z0-9_$#]{1,30}/([A-Za-z0-9!#$%^&*_+=-]{3,60})@",
        accept=when(_connected),
    ),
    after("netrc-password", r"[ \t\n]login[ \t]{1,4}[A-Za-z0-9._@+-]{1,48}[ \t\n]{1,4}password[ \t]{1,4}", r"[A-Za-z0-9!#$%&()*+./:=?@^_~-]{6,80}", kind="password", valid=entropy.filled, end=r"[^!-~]"),
)  # fmt: skip
