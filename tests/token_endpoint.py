"""A token endpoint and a provider behind it, on a real socket: it checks who asks as a real one does, and counts. It also stands in for two
clouds: the service that generates tokens of Google's service accounts, and AWS's token service with Bedrock behind it."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwt
from joserfc.jwk import Key

CLIENT, SECRET = "yett-client", "s3cret: with %&+ and a colon"
ACCOUNT, ROLE = "models@project.iam.gserviceaccount.com", "arn:aws:iam::123456789012:role/models"
KEY = "bedrock-api-key-"
CREDENTIALS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:prod:yett</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/models/yett</Arn><AssumedRoleId>AROAEXAMPLE:yett</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
      <SessionToken>{session}</SessionToken><Expiration>{end}</Expiration>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"""
REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>What it says to people.</Message></Error>
</ErrorResponse>"""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has gone before the answer, as a gateway that stops does."""


class TokenEndpoint:
    """`asked` are the forms of the requests; `fail` statuses and bodies to answer first; `taken` the bearer tokens that the provider
    was sent; `revoked` those that it does not accept any more."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.proofs: list[str] = []
        self.fail: list[tuple[int, bytes]] = []
        self.taken: list[str] = []
        self.revoked: set[str] = set()
        self.expires_in: object = 3600
        self.delay = 0.0
        self.key: Key | None = None  # that assertions are signed with
        self.subject = "the-token-of-the-workload"
        self._issued = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                path = self.path.partition("?")[0]
                if path == "/token":
                    status, answer = endpoint.token(self, body)
                elif path == "/":
                    status, answer = endpoint.role(body)
                elif path.startswith("/v1/projects/"):
                    status, answer = endpoint.account(self, path, body)
                else:
                    status, answer = endpoint.chat(self)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.origin}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def token(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        self.asked.append(form)
        time.sleep(self.delay)
        if self.fail:
            return self.fail.pop(0)
        proof = self.proof(handler.headers.get("authorization", ""), form)
        self.proofs.append(proof)
        if not proof:
            return 401, b'{"error": "invalid_client", "error_description": "who are you"}'
        self._issued += 1
        said: dict[str, object] = {"access_token": f"token-{self._issued}", "token_type": "Bearer"}
        if self.expires_in is not None:
            said["expires_in"] = self.expires_in
        return 200, json.dumps(said).encode()

    def account(self, handler: BaseHTTPRequestHandler, path: str, body: bytes) -> tuple[int, bytes]:
        """projects.serviceAccounts.generateAccessToken"""
        said = json.loads(body)
        self.asked.append(said)
        time.sleep(self.delay)
        if self.fail:
            return self.fail.pop(0)
        federated = handler.headers.get("authorization", "")
        if (
            federated != f"Bearer token-{self._issued}"
            or path != f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
        ):
            return 403, b'{"error": {"code": 403, "message": "who are you", "status": "PERMISSION_DENIED"}}'
        self._issued += 1
        return 200, json.dumps({"accessToken": f"token-{self._issued}", "expireTime": self._end()}).encode()

    def role(self, body: bytes) -> tuple[int, bytes]:
        """AssumeRoleWithWebIdentity"""
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        self.asked.append(form)
        time.sleep(self.delay)
        if self.fail:
            return self.fail.pop(0)
        if form["WebIdentityToken"] != self.subject:
            return 400, REFUSED.format(code="InvalidIdentityToken").encode()
        if form["RoleArn"] != ROLE or form["Version"] != "2011-06-15":
            return 403, REFUSED.format(code="AccessDenied").encode()
        self._issued += 1
        id = f"ASIAEXAMPLE{self._issued:09}"
        return 200, CREDENTIALS.format(id=id, secret="of/the+role", session="it/is=a+session", end=self._end()).encode()

    def _end(self) -> str:
        seconds = float(str(self.expires_in))
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def proof(self, authorization: str, form: dict[str, str]) -> str:  # noqa: PLR0911
        """How whoever asks has proved itself, "" when not at all."""
        if form["grant_type"].endswith("token-exchange"):
            return "exchange" if form["subject_token"] == self.subject else ""
        if form["grant_type"].endswith("grant-type:jwt-bearer"):
            return "bearer" if form["assertion"] == self.subject else ""
        if authorization:
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            return "basic" if (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET) else ""
        if "client_secret" in form:
            return "post" if (form["client_id"], form["client_secret"]) == (CLIENT, SECRET) else ""
        assertion = form.get("client_assertion", "")
        if assertion == self.subject:
            return "file"
        if self.key is None:
            return ""
        claims = jwt.decode(assertion, self.key, algorithms=["RS256", "ES256", "ES384", "Ed25519"]).claims
        mine = claims["iss"] == claims["sub"] == form["client_id"] == CLIENT and claims["aud"] == self.url
        return "signature" if mine and claims["exp"] - claims["iat"] <= 300 else ""

    def chat(self, handler: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        token = handler.headers.get("authorization", "").removeprefix("Bearer ")
        if token.startswith(KEY):
            token = self._of_role(token)
        self.taken.append(token)
        if not token.startswith("token-") or token in self.revoked:
            if handler.headers.get("authorization", "").removeprefix("Bearer ").startswith(KEY):
                return 403, b'{"message": "The key has ended, or the role may not use this model"}'
            return 401, b'{"error": {"message": "no"}}'
        message = {"role": "assistant", "content": f"You came with {token}."}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        said = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return 200, json.dumps(said).encode()

    def _of_role(self, key: str) -> str:
        """Which of the credentials a key of Bedrock was made with; its signature is held against AWS's own elsewhere."""
        host, _, query = base64.b64decode(key.removeprefix(KEY), validate=True).decode().partition("/?")
        said = {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}
        id, _, region, service, _ = said["X-Amz-Credential"].split("/")
        whole = (host, region, service, said["Action"], said["Version"], said["X-Amz-Security-Token"])
        usual = ("bedrock.amazonaws.com", "eu-west-1", "bedrock", "CallWithBearerToken", "1", "it/is=a+session")
        return f"token-{int(id[-9:])}" if whole == usual and int(said["X-Amz-Expires"]) > 0 else ""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    endpoint = TokenEndpoint()
    try:
        yield endpoint
    finally:
        endpoint.close()
