"""Where the stores are that several gateways share: the addresses of Valkey or Redis, and of PostgreSQL, as they are written."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct


class Address(Struct, frozen=True):
    """Where Valkey or Redis is. `socket` is the path of a Unix socket, "" for host and port."""

    host: str = "127.0.0.1"
    port: int = 6379
    socket: str = ""
    user: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    ca_file: str = ""

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self})"  # it holds a password


def limits_address(url: str, ca_file: str = "") -> Address:
    """Read redis://, rediss:// (TLS), valkey://, valkeys:// and unix:///path?db=1. Raises ValueError, which repeats no password."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "unix":
        number = parse_qs(parts.query).get("db", ["0"])[0]
        if not parts.path or not number.isdigit():
            raise ValueError("is not unix:///path or unix:///path?db=NUMBER")
        return Address(socket=parts.path, user=user, password=password, database=int(number))
    if parts.scheme not in ("redis", "rediss", "valkey", "valkeys") or not parts.hostname:
        raise ValueError("is not an address of Valkey or Redis: redis://host:6379/0, rediss:// with TLS, unix:///path")
    database = parts.path.strip("/") or "0"
    if not database.isdigit() or parts.query or parts.fragment:
        raise ValueError("must end with the host, or with the number of a database: redis://host:6379/0")
    return Address(
        parts.hostname,
        parts.port or 6379,  # raises ValueError for what is no port
        "",
        user,
        password,
        int(database),
        parts.scheme in ("rediss", "valkeys"),
        ca_file,
    )


def has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return False
