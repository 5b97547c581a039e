"""A key-encryption key that never leaves OpenBao or Vault: their transit engine wraps and unwraps (HTTP API, `/v1/MOUNT/encrypt/KEY`).

Asked when configuration is read, credentials are changed or wrapped anew; never on the path of a call. Everything is asked in one
request for all data keys (`batch_input`), and every request has a time-out.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import ssl
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct, field

from yett.model.route import Secret
from yett.stores.envelope import KEY_BYTES, Wrapped
from yett.stores.kek import KekTrouble

_MOST_BYTES = 4 * 1024**2
_FORBIDDEN = 403


class _Result(Struct):
    ciphertext: str = ""
    plaintext: str = ""
    error: str = ""


class _Data(Struct):
    batch_results: list[_Result] = []
    latest_version: int = 0


class _Answer(Struct):
    data: _Data | None = None
    errors: list[str] = field(default_factory=list)


class Transit:
    """Implements `stores.kek.Kek`. `address` is the server's, `ca_file` the certificates to trust instead of the system's."""

    def __init__(
        self,
        address: str,
        key: str,
        token: Secret,
        *,
        mount: str = "transit",
        namespace: str = "",
        ca_file: str = "",
        timeout: float = 5.0,
    ) -> None:
        self._address = address.rstrip("/")
        self._key = key
        self._token = token
        self._mount = mount.strip("/")
        self._namespace = namespace
        self._ca_file = ca_file
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"Transit({self._address}, {self._key})"

    @property
    def names(self) -> tuple[str, ...]:
        return (self._kek_of(""),)

    def wrap(self, keys: Sequence[bytes]) -> list[Wrapped]:
        results = self._batch("encrypt", [{"plaintext": base64.b64encode(key).decode()} for key in keys])
        for result in results:
            if result.error:
                raise KekTrouble(f"{self._named} cannot wrap: {_said(result.error)}")
        return [Wrapped(self._kek_of(result.ciphertext), result.ciphertext.encode()) for result in results]

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | str]:
        prefix = self._kek_of("")
        mine = [one for one in wrapped if one.kek.rpartition(":")[0] == prefix]
        results = iter(self._batch("decrypt", [{"ciphertext": one.key.decode("ascii", "replace")} for one in mine]))
        found: list[bytes | str] = []
        for one in wrapped:
            if one.kek.rpartition(":")[0] != prefix:
                found.append(f"it was sealed under the key-encryption key {one.kek}, not by {self._named}")
                continue
            result = next(results)
            key = _bytes(result.plaintext)
            found.append(key or f"{self._named} cannot unwrap its data key: {_said(result.error)}")
        return found

    def newest(self, wrapped: Sequence[Wrapped]) -> list[bool]:
        latest = self.latest()
        return [one.kek == self._kek_of(f"vault:v{latest}:") for one in wrapped]

    def latest(self) -> int:
        """The number of the newest version of the key."""
        data = self._ask("GET", f"keys/{quote(self._key, safe='')}").data
        return data.latest_version if data is not None else 0

    def rotate(self) -> None:
        """Have the service make a new version of the key. Its token must be allowed to."""
        self._ask("POST", f"keys/{quote(self._key, safe='')}/rotate", b"{}")

    @property
    def _named(self) -> str:
        return f"the transit key {self._key} at {self._address}"

    def _kek_of(self, ciphertext: str) -> str:
        """`transit:MOUNT/KEY:v3` of a `vault:v3:…`; without a ciphertext what all versions have in common."""
        name = f"transit:{self._mount}/{self._key}"
        return f"{name}:{ciphertext.split(':')[1]}" if ciphertext.count(":") >= 2 else name

    def _batch(self, what: str, items: list[dict[str, str]]) -> list[_Result]:
        if not items:
            return []
        body = msgspec.json.encode({"batch_input": items})
        # some of many failing is a 400 with a result for each all the same
        answer = self._ask("POST", f"{what}/{quote(self._key, safe='')}", body, accept=(200, 400))
        if answer.data is None or len(answer.data.batch_results) != len(items):
            raise KekTrouble(f"{self._named} answered otherwise than a transit engine does: {_said(*answer.errors)}")
        return answer.data.batch_results

    def _ask(self, method: str, path: str, body: bytes | None = None, accept: tuple[int, ...] = (200, 204)) -> _Answer:
        status, raw = self._exchange(method, f"/v1/{quote(self._mount)}/{path}", body)
        try:
            answer = msgspec.json.decode(raw, type=_Answer) if raw else _Answer()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            answer = _Answer()
        if status in accept:
            return answer
        said = _said(*answer.errors)
        if status == _FORBIDDEN:
            raise KekTrouble(f"{self._address} does not accept the token for {path}: {said}", lasting=False)
        raise KekTrouble(f"{self._address} answered {path} with status {status}: {said}", lasting=False)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        url = urlsplit(self._address)
        headers = {"X-Vault-Token": self._token.reveal(), "X-Vault-Request": "true", "Accept-Encoding": "identity"}
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        connection: http.client.HTTPConnection | None = None
        try:
            if url.scheme == "https":
                context = ssl.create_default_context(cafile=self._ca_file or None)
                connection = http.client.HTTPSConnection(
                    url.hostname or "", url.port, timeout=self._timeout, context=context
                )
            else:
                connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=self._timeout)
            connection.request(method, url.path + path, body, headers)
            with connection.getresponse() as response:
                return response.status, response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise KekTrouble(f"{self._address} cannot be reached: {why}", lasting=False) from error
        finally:
            if connection is not None:
                connection.close()


def _bytes(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _said(*errors: str) -> str:
    """What a server says of an error, fit for one line."""
    text = " ".join("; ".join(error for error in errors if error).split())
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200] or "it does not say why"
