"""The identity provider of operators, asked: what it says of itself, and what a code stands for."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from yett.config.checks import check_url, is_loopback
from yett.config.operators import Rules
from yett.errors import Refusal
from yett.identity import sign_in
from yett.identity.issuer import Issuer
from yett.identity.jws import Signed, algorithm_of, take_apart
from yett.identity.sign_in import Metadata, Pending
from yett.model.operator import Identity
from yett.ports import Clock, Outgoing, Upstream, UpstreamFailure
from yett.stages.identify_tokens import Trust, verified

FRESH = 600.0  # seconds for which what a provider says of itself is believed
PAUSE = 3.0  # seconds after a failure in which it is not asked again
DEADLINE = 8.0  # seconds for one answer
AT_ONCE = 8  # codes that are redeemed at a time
_MOST_BYTES = 256 * 1024
_LONGEST_TOKEN = 16_384


class IdentityProvider:
    """Used on one event loop."""

    def __init__(self, upstream: Upstream, trust: Trust, clock: Clock) -> None:
        self._upstream = upstream
        self._trust = trust
        self._clock = clock
        self._known: Metadata | None = None
        self._of = ("", "")
        self._asked = float("-inf")
        self._trouble = ""
        self._asking = asyncio.Lock()
        self._redeeming = asyncio.Semaphore(AT_ONCE)

    @property
    def trouble(self) -> str:
        """Why it could not be asked the last time; "" when it could."""
        return self._trouble

    async def metadata(self, rules: Rules) -> Metadata:
        """Raises Refusal("sign_in_unavailable")."""
        issuer = _configured(rules)
        async with self._asking:
            age = self._clock.monotonic() - self._asked
            if self._of == (issuer.url, issuer.source.url):
                if self._known is not None and age < FRESH:
                    return self._known
                if self._trouble and age < PAUSE:
                    raise _away(self._trouble)
            self._of, self._known, self._trouble = (issuer.url, issuer.source.url), None, ""
            try:
                status, body = await self._ask(
                    issuer, "GET", issuer.source.url, ((b"accept", b"application/json"),), b""
                )
                self._known = _metadata(status, body, issuer)
            except _Unusable as error:
                self._trouble = str(error)
                raise _away(self._trouble) from None
            finally:
                self._asked = self._clock.monotonic()
            return self._known

    async def redeem(self, rules: Rules, metadata: Metadata, back: str, code: str, pending: Pending) -> Identity:
        """Who signed in. Raises Refusal."""
        issuer = _configured(rules)
        secret = rules.secret.reveal() if rules.secret else ""
        headers, body = sign_in.token_request(metadata, rules.client, secret, back, code, pending.verifier)
        async with self._redeeming:
            try:
                status, answer = await self._ask(issuer, "POST", metadata.token_endpoint, headers, body)
            except _Unusable as error:
                raise _away(str(error)) from None
        if status in (400, 401, 403):
            raise sign_in.refused(f"The identity provider refused the code (status {status}).")
        if status != 200:
            raise _away(f"its token endpoint answered with status {status}")
        token = await self._genuine(sign_in.id_token_of(answer), issuer)
        sign_in.check_id_token(issuer, rules.client, token, pending, rules.max_age, self._clock.now())
        return sign_in.identity_of(issuer, token.claims, rules.claim, rules.mapping)

    async def bearer(self, rules: Rules, token: bytes) -> tuple[Identity, int, int]:
        """Whose access token it is, when it was issued, and when it ends. Raises Refusal."""
        issuer = rules.access
        if issuer is None:
            raise Refusal("sign_in_required", "Access tokens are not taken here: operators.audience is not set.")
        found = await self._genuine(token, issuer)
        sign_in.check_issuer(issuer, found)
        if "cnf" in found.claims:
            raise Refusal("proof_required")
        from_issuer = sign_in.lasting(issuer, found, self._clock.now())
        return sign_in.identity_of(issuer, found.claims, rules.claim, rules.mapping), *from_issuer

    async def _genuine(self, token: bytes, issuer: Issuer) -> Signed:
        if len(token) > _LONGEST_TOKEN:
            raise Refusal("token_too_large", "The token is longer than 16384 bytes.")
        signed = take_apart(token)
        await verified(signed, algorithm_of(signed, issuer.algorithms), issuer, self._trust)
        return signed

    async def _ask(
        self, issuer: Issuer, method: str, url: str, headers: tuple[tuple[bytes, bytes], ...], body: bytes
    ) -> tuple[int, bytes]:
        parts = urlsplit(url)
        configured = issuer.source.provider
        if configured is None:
            raise _Unusable("it has no address")
        provider = replace(configured, base_url=f"{parts.scheme}://{parts.netloc}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            async with asyncio.timeout(DEADLINE):
                exchange = await self._upstream.send(Outgoing(provider, method, path, headers, body))
                return exchange.status, await exchange.read(_MOST_BYTES)
        except UpstreamFailure as error:
            raise _Unusable(f"{parts.netloc} cannot be asked: {error.outcome}") from error
        except TimeoutError as error:
            raise _Unusable(f"{parts.netloc} takes too long to answer") from error


class _Unusable(Exception):
    """What came is no answer, or none came."""


def _configured(rules: Rules) -> Issuer:
    if rules.sign_in is None:
        raise Refusal("sign_in_unavailable", "No identity provider is configured: operators.issuer is not set.")
    return rules.sign_in


def _away(why: str) -> Refusal:
    return Refusal("sign_in_unavailable", f"The identity provider cannot be asked: {why}.")


def _metadata(status: int, body: bytes, issuer: Issuer) -> Metadata:
    """Raises _Unusable."""
    if status != 200:
        raise _Unusable(f"its metadata answer with status {status}")
    try:
        found = msgspec.json.decode(body, type=Metadata)
    except (msgspec.DecodeError, RecursionError):
        raise _Unusable("its metadata do not say where to sign in") from None
    if found.issuer != issuer.url:  # section 4.3: it must not speak for another
        raise _Unusable("its metadata are those of another issuer")
    for url in (found.authorization_endpoint, found.token_endpoint, found.end_session_endpoint):
        trouble, host = check_url(url.partition("?")[0], ("http", "https"))
        if url and (trouble or (url.startswith("http:") and not is_loopback(host))):
            raise _Unusable("its metadata give an address that cannot be trusted")
    return found
