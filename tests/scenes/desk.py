"""Somebody at the console of a gateway, with nothing but a cookie and what its pages tell."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.scenes.harness import Gateway


class Desk:
    """Somebody at the console."""

    def __init__(self, gateway: Gateway) -> None:
        self.origin = f"http://127.0.0.1:{gateway.admin}"
        self.cookie = self.csrf = ""

    def ask(self, path: str, body: object = None, form: dict[str, str] | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"origin": self.origin, "cookie": self.cookie, "x-yett-csrf": self.csrf}
        headers["content-type"] = "application/json"
        if form is not None:
            data, headers["content-type"] = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.origin + path, data, headers)
        opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error  # type: ignore[assignment]
        with answer:
            for cookie in answer.headers.get_all("set-cookie") or ():
                if found := re.match(r"(yett-session-\d+=[^;]{20,});", cookie):
                    self.cookie = found[1]
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith("{") else text


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
