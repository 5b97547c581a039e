"""The console as routes of the operator's port: its API, signing in and out, and the one page there is.

Whatever is refused is told in one place, and recorded: every refused change, and every request that no operator is behind. Strangers
could fill a disk with that, so of theirs only so many a minute are; the next record says how many there were.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from yett.config.operators import Rules
from yett.console import access, api, pages
from yett.console.access import SESSION, SIGN_IN, Visit, address_of, cookie_name, cookie_of
from yett.console.office import Event, Office
from yett.console.provider import IdentityProvider
from yett.console.routes import ROUTES, ApiRoute
from yett.errors import Refusal
from yett.identity import sign_in
from yett.identity.sign_in import Pending
from yett.model.operator import EMERGENCY, Operator, roles_of
from yett.ports import Clock

log = logging.getLogger("yett")

BACK = "/console/callback"
PENDING_SECONDS = 600
STRANGERS = 60  # refused requests a minute, of nobody who is known, that are recorded
_MOST_FORM = 8192
_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
# Refusals that say nothing about who asked, but that the address or the body was wrong.
_UNREMARKABLE = frozenset(("not_found", "invalid_request", "invalid_json", "body_too_large"))

Page = Callable[[Request], Awaitable[Response]]


class Console:
    """`routes` are for the application that serves the operator's port."""

    def __init__(self, office: Office, provider: IdentityProvider, clock: Clock) -> None:
        self._office = office
        self._provider = provider
        self._clock = clock
        self._minute = 0
        self._strangers = 0
        self.routes: list[BaseRoute] = [self._api(route) for route in ROUTES]
        self.routes += [
            Route("/", self._page(self._home)),
            Route("/console", self._page(self._home)),
            Route("/console/sign-in", self._page(self._sign_in)),
            Route(BACK, self._page(self._callback)),
            Route("/console/sign-out", self._page(self._sign_out), methods=["POST"]),
            Route("/console/signed-out", self._page(self._signed_out)),
            Route("/console/break-glass", self._page(self._emergency), methods=["GET", "POST"]),
            Route("/console/console.css", self._stylesheet),
        ]

    # ---- the API ----------------------------------------------------------------------------------------------------

    def _api(self, route: ApiRoute) -> Route:
        async def answer(request: Request) -> Response:
            visit: Visit | None = None
            try:
                visit = await access.visit(request, self._office, self._provider, self._clock.now())
                if route.changes and visit.token:
                    access.check_same_origin(request, visit.rules)
                    access.check_csrf(request.headers.get(access.CSRF_HEADER, ""), visit.token)
                if route.permission:
                    access.check_role(visit.operator, route.permission, whole=route.whole)
                found = await route.handler(request, visit, self._office)
            except Refusal as refusal:
                refusal = await self._noted(request, refusal, visit.operator if visit else None, route.path)
                return _refused(refusal)
            self._office.tell("yett_operator_requests", "ok")
            return Response(api.encoded(found), headers=_headers(visit.rules), media_type=_JSON)

        return Route(route.path, answer, methods=[route.method])

    # ---- signing in -------------------------------------------------------------------------------------------------

    async def _sign_in(self, request: Request) -> Response:
        rules = (await access.standing_of(request, self._office)).rules
        metadata = await self._provider.metadata(rules)
        pending = Pending(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=sign_in.place(request.query_params.get("next", "")),
            expires=int(self._clock.now()) + PENDING_SECONDS,
        )
        url = sign_in.authorization_url(
            metadata, rules.client, rules.origin + BACK, pending, rules.scopes, rules.max_age
        )
        answer = RedirectResponse(url, 302, _headers(rules))
        sealed = await self._office.seal(_context(rules) + msgspec.json.encode(pending))
        _set_cookie(answer, rules, SIGN_IN, sealed, PENDING_SECONDS)
        return answer

    async def _callback(self, request: Request) -> Response:
        """One answer of the provider, for the sign-in that this browser began."""
        standing = await access.standing_of(request, self._office)
        rules = standing.rules
        pending = await self._pending(request, rules)
        metadata = await self._provider.metadata(rules)
        code = sign_in.code_of(request.query_params, pending, metadata, self._clock.now())
        identity = await self._provider.redeem(rules, metadata, rules.origin + BACK, code, pending)
        now = self._clock.now()
        author = Operator(identity, roles_of(identity.said, rules.mapping), "oidc", address=address_of(request))
        try:
            access.check_fences(identity, int(now), standing, now)
            identity = access.check_listed(identity, await self._office.listing(identity), rules)
        except Refusal as refusal:
            detail = {"fence": refusal.fence} if refusal.fence else {}
            await self._office.note(Event("operator.refused", BACK, author.noted(), code=refusal.code, detail=detail))
            raise
        author = replace(author, identity=identity, roles=roles_of(identity.said, rules.mapping))
        _, token = await self._office.begin(identity, pending.state, address_of(request), author.noted())
        return self._let_in(rules, token, pending.next)

    async def _pending(self, request: Request, rules: Rules) -> Pending:
        """Raises Refusal("sign_in_refused")."""
        sealed = cookie_of(request, rules, SIGN_IN)
        content = await self._office.unseal(sealed) if sealed else None
        context = _context(rules)
        if content is None or not content.startswith(context):
            raise sign_in.refused("This browser has begun no sign-in here, or too long ago; begin again.")
        return msgspec.json.decode(content[len(context) :], type=Pending)

    async def _emergency(self, request: Request) -> Response:
        rules = (await access.standing_of(request, self._office)).rules
        if request.method != "POST":
            return _html(pages.page("Emergency", "break_glass", message=""), rules)
        access.check_same_origin(request, rules)
        form = dict(parse_qsl((await api.raw_body(request, _MOST_FORM)).decode("latin-1")))
        _, token = await self._office.redeem(form.get("code", "").strip(), address_of(request))
        return self._let_in(rules, token, "/console")

    def _let_in(self, rules: Rules, token: str, next: str) -> Response:
        """Always a new session: one that a browser brought along (session fixation) is not taken over."""
        self._office.tell("yett_operator_sign_ins", "ok")
        answer = RedirectResponse(next, 303, _headers(rules))
        _set_cookie(answer, rules, SESSION, token, None)
        _set_cookie(answer, rules, SIGN_IN, "", 0)
        return answer

    # ---- signing out ------------------------------------------------------------------------------------------------

    async def _sign_out(self, request: Request) -> Response:
        visit = await access.visit(request, self._office, self._provider, self._clock.now())
        access.check_same_origin(request, visit.rules)
        form = dict(parse_qsl((await api.raw_body(request, _MOST_FORM)).decode("latin-1")))
        access.check_csrf(request.headers.get(access.CSRF_HEADER, "") or form.get("csrf", ""), visit.token)
        await self._office.end(visit.operator.session, visit.operator.noted())
        next = "/console/signed-out"
        if visit.operator.means != EMERGENCY:
            next = await self._end_url(visit.rules) or next
        answer = RedirectResponse(next, 303, _headers(visit.rules))
        _set_cookie(answer, visit.rules, SESSION, "", 0)
        return answer

    async def _end_url(self, rules: Rules) -> str:
        """Of signing out at the provider as well, "" when it offers none, or is away: here somebody is signed out anyway."""
        try:
            metadata = await self._provider.metadata(rules)
        except Refusal:
            return ""
        return sign_in.end_url(metadata, rules.client, rules.origin + "/console/signed-out")

    async def _signed_out(self, request: Request) -> Response:
        rules = (await access.standing_of(request, self._office)).rules
        text = "You are signed out."
        return _html(pages.page("Signed out", "message", heading="Signed out", message=text), rules)

    # ---- the page ---------------------------------------------------------------------------------------------------

    async def _home(self, request: Request) -> Response:
        standing = await access.standing_of(request, self._office)
        try:
            visit = await access.visit(request, self._office, self._provider, self._clock.now())
        except Refusal as refusal:
            if refusal.code not in ("sign_in_required", "session_over"):
                raise
            over = str(refusal) if refusal.code == "session_over" else ""
            return _html(_sign_in_page(standing.rules, over), standing.rules)
        me = await api.me(request, visit, self._office)
        state = await api.overview(request, visit, self._office)
        drawn = (await api.fences(request, visit, self._office)).fences
        form = ""
        if visit.operator.means != EMERGENCY and (url := await self._end_url(visit.rules)):
            form = _origin(url)
        return _html(pages.overview(me, state, drawn, me.csrf), visit.rules, form=form)

    async def _stylesheet(self, request: Request) -> Response:
        del request
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        return Response(pages.stylesheet(), headers=headers, media_type="text/css; charset=utf-8")

    # ---- refusals ---------------------------------------------------------------------------------------------------

    def _page(self, page: Page) -> Page:
        async def answer(request: Request) -> Response:
            try:
                return await page(request)
            except Refusal as refused:
                signing = request.url.path.startswith((BACK, "/console/break-glass"))
                if signing:
                    self._office.tell("yett_operator_sign_ins", "refused")
                refusal = await self._noted(request, refused, None, request.url.path)
                body = pages.page("Refused", "message", heading=_heading(refusal), message=str(refusal))
                return Response(body, refusal.status, _plain_headers(), media_type=_HTML)

        return answer

    async def _noted(self, request: Request, refusal: Refusal, who: Operator | None, path: str) -> Refusal:
        """The refusal to tell, once it is recorded."""
        self._office.tell("yett_operator_requests", refusal.code)
        if refusal.code in ("state_unavailable", "audit_unavailable"):
            return refusal
        if request.method in ("GET", "HEAD") and refusal.code in _UNREMARKABLE:
            return refusal
        detail: dict[str, object] = {"method": request.method, "address": address_of(request)}
        if refusal.fence:
            detail["fence"] = refusal.fence
        if who is None:
            minute = int(self._clock.now() // 60)
            if minute != self._minute:
                if self._strangers > STRANGERS:
                    detail["unrecorded"] = self._strangers - STRANGERS
                self._minute, self._strangers = minute, 0
            self._strangers += 1
            if self._strangers > STRANGERS:
                return refusal
        author: Mapping[str, object] = who.noted() if who else {}
        try:
            await self._office.note(Event("operator.refused", path, author, code=refusal.code, detail=detail))
        except Refusal as failure:
            return failure
        return refusal


def _sign_in_page(rules: Rules, over: str) -> bytes:
    offer = pages.Markup('<p><a class="button" href="/console/sign-in">Sign in with the identity provider</a></p>')
    if rules.sign_in is None:
        offer = pages.Markup(
            "<p>No identity provider is configured: <code>[operators]</code> in yett.toml names one.</p>"
        )
    message = pages.filled("error", message=over) if over else pages.Markup("")
    return pages.page("Sign in", "sign_in", message=message, offer=offer)


def _heading(refusal: Refusal) -> str:
    return "At the moment that cannot be done" if refusal.retry else "That was refused"


def _refused(refusal: Refusal) -> Response:
    body = api.encoded({"error": {"code": refusal.code, "message": str(refusal)}})
    headers = _plain_headers()
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(body, refusal.status, headers, media_type=_JSON)


def _plain_headers() -> dict[str, str]:
    return {
        "content-security-policy": pages.CSP.format(form=""),
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def _headers(rules: Rules) -> dict[str, str]:
    return pages.headers(rules)


def _html(body: bytes, rules: Rules, form: str = "") -> Response:
    return Response(body, headers=pages.headers(rules, form), media_type=_HTML)


def _set_cookie(answer: Response, rules: Rules, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(
        cookie_name(rules, name),
        value,
        max_age=seconds,
        path="/",
        secure=rules.secure,
        httponly=True,
        samesite="lax",
    )


def _context(rules: Rules) -> bytes:
    """What a sign-in is for: begun with another provider, client or console, it is not continued with this one."""
    return hashlib.sha256(f"{rules.origin}\0{rules.issuer}\0{rules.client}".encode()).digest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
