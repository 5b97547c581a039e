"""A certified OpenID provider for the tests (`oidc-provider`, in tests/oidc), and a browser to sign in with."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import httpx2 as httpx
from tests.servers import free_port, wait_for

from yett.edge.listener import bind

FOLDER = Path(__file__).parent / "oidc"
AUDIENCE = "https://yett.example/api"


class IdentityProvider:
    """Started once. `console` is the origin of the console that it sends people back to, one port for all tests of a run."""

    def __init__(self) -> None:
        self.port = free_port()
        self._held = bind("127.0.0.1", 0, shared=True)  # never listened on: nobody else is given the port meanwhile
        self.console_port = int(self._held.getsockname()[1])
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.console = f"http://127.0.0.1:{self.console_port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> IdentityProvider:
        node = shutil.which("node")
        assert node is not None, (
            "the tests of operators' sign-in need Node.js 20 or later with npm: install nodejs and npm"
        )
        installed = FOLDER / "node_modules" / "oidc-provider"
        assert installed.is_dir(), "tests/oidc is not installed: `make tests/oidc/node_modules/stamp`, or `make test`"
        command = [node, "provider.mjs", str(self.port), self.console]
        self.process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, 30)
        return self

    def stop(self) -> None:
        self._held.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def access_token(self, audience: str = AUDIENCE) -> str:
        form = {"grant_type": "client_credentials", "resource": audience}
        answer = httpx.post(f"{self.issuer}/token", data=form, auth=("robot", "robot-secret"), trust_env=False)
        return str(answer.json()["access_token"])


class Browser(httpx.AsyncClient):
    """Follows redirects by hand, and fills in forms. Like a browser it says where a request comes from."""

    def __init__(self) -> None:
        super().__init__(follow_redirects=False, trust_env=False, timeout=20)

    async def follow(self, answer: httpx.Response, until: str = "\0") -> httpx.Response:
        """Go where redirects lead, but not to where an address begins with `until`: that is left to the caller."""
        for _ in range(12):
            if answer.status_code not in (302, 303):
                return answer
            where = urljoin(str(answer.url), answer.headers["location"])
            if where.startswith(until):
                return answer
            answer = await self.get(where)
        raise AssertionError("redirects without an end")

    async def submit(self, page: httpx.Response, until: str = "\0", **values: str) -> httpx.Response:
        """Fill in the one form of a page."""
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert action is not None, page.text
        fields = {}
        for tag in re.findall(r"<input[^>]*>", page.text):
            if name := re.search(r'name="([^"]+)"', tag):
                value = re.search(r'value="([^"]*)"', tag)
                fields[name[1]] = html.unescape(value[1]) if value else ""
        where = urljoin(str(page.url), html.unescape(action[1]))
        origin = "/".join(str(page.url).split("/")[:3])
        return await self.follow(await self.post(where, data={**fields, **values}, headers={"origin": origin}), until)

    async def sign_in(self, console: str, login: str, *, next: str = "", until: str = "\0") -> httpx.Response:
        """From the console's link over the provider's form and back, as `login`."""
        begun = await self.get(f"{console}/console/sign-in", params={"next": next} if next else None)
        form = await self.follow(begun, until)
        if "login" not in form.text:
            return form
        return await self.submit(form, until, login=login, password="any")
