"""Who asks, and whether they may: every request to the console passes here, in this order.

    the Host is the console's own (DNS rebinding) ─> a token, or the session of a cookie ─> it is not over, nor fenced off ─>
    the directory still has who it is, where there is one ─> a change comes from the console's own page and carries its token (CSRF) ─> a role allows it

Decided anew each time, by the configuration, the fences and the directory as they are now.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request

from yett.config.operators import Rules, other_fences, own_fence
from yett.console.office import DRAWN_HERE, Listing, Office, Standing
from yett.console.provider import IdentityProvider
from yett.errors import Refusal
from yett.model.operator import EMERGENCY, Identity, Operator, Role, Session, roles_of

CSRF_HEADER = "x-yett-csrf"
SESSION, SIGN_IN = "yett-session", "yett-sign-in"
_LONGEST_COOKIE = 200
_LONGEST_ADDRESS = 100
_LEFT = {
    "not_provisioned": "The operators' directory has no such user.",
    "deactivated_user": "The operators' directory has deactivated this user.",
}
_TOUCH = 30  # seconds between two notes that a session is in use


class Visit(Struct, frozen=True):
    """One request, let in. `token` is what the session's cookie holds, "" with an access token."""

    operator: Operator
    rules: Rules
    token: str = ""


def cookie_name(rules: Rules, name: str) -> str:
    """With TLS no other host, path or scheme can set it (RFC 6265bis, `__Host-`). Without, it is at least that of this port."""
    return f"__Host-{name}" if rules.secure else f"{name}-{urlsplit(rules.origin).port or 80}"


def csrf_of(token: str) -> str:
    """What changes of this session carry. It is made from the cookie, which no page of another origin can read."""
    return hmac.new(token.encode(), b"yett console csrf", hashlib.sha256).hexdigest()


def address_of(request: Request) -> str:
    """Of the connection. What a proxy in front says is added, and is worth what that proxy is worth."""
    peer = request.client.host if request.client else ""
    via = request.headers.get("x-forwarded-for", "")
    shown = "".join(letter for letter in via if letter.isprintable())[:_LONGEST_ADDRESS]
    return f"{peer} ({shown})" if shown else peer


def check_host(request: Request, rules: Rules) -> None:
    """Raises Refusal("wrong_host")."""
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or hosts[0].lower() not in rules.hosts:
        raise Refusal("wrong_host")


def check_same_origin(request: Request, rules: Rules) -> None:
    """A browser says where a request comes from, in one of two ways. Raises Refusal("cross_site")."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None:
        host = request.headers.get("host", "").lower()
        if origin not in (rules.origin, f"{rules.origin.partition(':')[0]}://{host}"):
            raise Refusal("cross_site")
    elif site != "same-origin":
        raise Refusal("cross_site", "The request does not say which page it comes from (Origin).")


def check_csrf(given: str, token: str) -> None:
    """Raises Refusal("cross_site")."""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_of(token).encode()):
        raise Refusal("cross_site", f"The token in {CSRF_HEADER} is missing, or not that of this session.")


def cookie_of(request: Request, rules: Rules, name: str) -> str:
    return request.cookies.get(cookie_name(rules, name), "")


async def standing_of(request: Request, office: Office) -> Standing:
    """Raises Refusal: wrong_host, before anything is looked up; state_unavailable."""
    check_host(request, office.rules)
    token = cookie_of(request, office.rules, SESSION)
    return await office.standing(token if len(token) <= _LONGEST_COOKIE else "")


async def visit(request: Request, office: Office, provider: IdentityProvider, now: float) -> Visit:
    """Who asks. Raises Refusal."""
    standing = await standing_of(request, office)
    rules = standing.rules
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme:  # never the cookie beside it: two credentials could be two people
        if scheme.lower() != "bearer" or len(request.headers.getlist("authorization")) != 1:
            raise Refusal("sign_in_required", "The Authorization header must be `Bearer <access token>`.")
        identity, issued, until = await provider.bearer(rules, bearer.strip().encode("utf-8", "replace"))
        check_fences(identity, issued, standing, now)
        identity = check_listed(identity, await office.listing(identity), rules)
        roles = roles_of(identity.said, rules.mapping)
        return Visit(Operator(identity, roles, "token", until=until, address=address_of(request)), rules)
    session = standing.session
    if session is None:
        raise Refusal("sign_in_required")
    identity = session.identity
    if session.over(now, rules.idle):
        raise Refusal("session_over")
    if session.kind == EMERGENCY:
        roles = (Role("admin"),)
    else:
        if session.identity.issuer != rules.issuer:
            raise Refusal(
                "session_over", "The session is of an identity provider that is no longer asked; sign in again."
            )
        identity = await _still(session, office, standing, now)
        roles = roles_of(identity.said, rules.mapping)
        if not roles:
            raise Refusal("session_over", "Nothing that is said of this account has a role in yett.toml any more.")
    if now >= session.seen + _TOUCH:
        await office.touch(session)
    who = Operator(identity, roles, session.kind, session.id, session.expires, address_of(request))
    return Visit(who, rules, cookie_of(request, rules, SESSION))


async def _still(session: Session, office: Office, standing: Standing, now: float) -> Identity:
    """Whose session it is. One that met a fence is over, also when the fence is lifted afterwards, and so is that of somebody who has left. Raises
    Refusal."""
    try:
        check_fences(session.identity, session.begun, standing, now)
        return check_listed(session.identity, standing.listing, standing.rules)
    except Refusal as refusal:
        with suppress(Refusal):  # it is refused anyway
            await office.end(session.id, {"fence": refusal.fence} if refusal.fence else {"code": refusal.code})
        raise


def check_listed(identity: Identity, listing: Listing | None, rules: Rules) -> Identity:
    """Who somebody is, with what the directory says of roles where no claim does. Raises Refusal: not_provisioned, deactivated_user,
    role_required."""
    if listing is None:
        return identity
    if listing.trouble:
        raise Refusal(listing.trouble, _LEFT[listing.trouble])
    if rules.claim:
        return identity
    said = tuple(one.value for one in rules.mapping if one.value.casefold() in listing.groups)
    if not said:
        raise Refusal(
            "role_required", "None of the groups that the directory has this user in has a role in yett.toml."
        )
    return replace(identity, said=said)


def check_fences(identity: Identity, issued: int, standing: Standing, now: float) -> None:
    """Raises Refusal: fenced, session_over. What the console itself has drawn about a caller keeps nobody out of the console: whoever
    looks after one tenant's callers must not be able to lock out an admin."""
    if not standing.fences:
        return
    own = own_fence(identity)
    for name in (own, *other_fences(identity, standing.settings)):
        for fence in standing.fences.get(name, ()):
            if fence.holds(issued, now) and (name == own or fence.source != DRAWN_HERE):
                refusal = Refusal("fenced", "Access was revoked for this operator.")
                if fence.sessions:
                    refusal = Refusal("session_over")
                refusal.fence = fence.label
                raise refusal


def check_role(who: Operator, permission: str, *, whole: bool) -> None:
    """Raises Refusal("role_required"). `whole`: it concerns all tenants at once."""
    where = who.where(permission)
    if where is not None and not where:
        held = ", ".join(sorted({role.name for role in who.roles})) or "none"
        raise Refusal("role_required", f'It takes the permission "{permission}"; your roles: {held}.')
    if whole and where is not None:
        raise Refusal("role_required", f'It takes the permission "{permission}" in all tenants.')
