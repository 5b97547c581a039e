"""Every way a call can be refused, and every way Yett can fail to start. Read the tree, then the table.

    YettError
    ├── ConfigurationError   the operator erred: carries every mistake, each with file and line     exit code 3
    ├── IntegrityError       a store or journal is not what it should be                             exit code 4
    └── Refusal              this call gets no (further) answer; `code` is a row of CODES

A Refusal says whose fault it is (`caller`, `policy`, `limit`, `upstream`, `gateway`) and whether the same call may succeed
later. Dialects turn it into the caller's own error format at the rim; nothing else formats errors.
"""

from __future__ import annotations

from msgspec import Struct


class Code(Struct, frozen=True):
    """A row of the error table: HTTP status, OpenAI's error type, whose fault, whether a retry can help, and one sentence."""

    status: int
    type: str
    fault: str
    retry: bool
    meaning: str


_INVALID = "invalid_request_error"

CODES: dict[str, Code] = {
    # the bytes
    "bad_http": Code(400, _INVALID, "caller", False, "The bytes are not an acceptable HTTP/1.1 request."),
    "headers_too_large": Code(431, _INVALID, "caller", False, "Too many header fields, or too long ones."),
    "uri_too_long": Code(414, _INVALID, "caller", False, "The request target is too long."),
    "request_timeout": Code(408, _INVALID, "caller", True, "The request did not arrive completely in time."),
    "body_too_large": Code(413, _INVALID, "caller", False, "The body exceeds `gateway.max_body_bytes`."),
    "unsupported_encoding": Code(415, _INVALID, "caller", False, "The body has a Content-Encoding; send it plain."),
    "not_found": Code(404, _INVALID, "caller", False, "There is no such route."),
    "method_not_allowed": Code(405, _INVALID, "caller", False, "The route exists, but not for this method."),
    "draining": Code(503, "server_error", "gateway", True, "The gateway is shutting down; try again."),
    "overloaded": Code(
        503,
        "server_error",
        "gateway",
        True,
        "More calls are in progress, or wait to be inspected, than the gateway takes.",
    ),
    # the JSON
    "invalid_json": Code(400, _INVALID, "caller", False, "The body is not valid UTF-8 JSON."),
    "json_too_deep": Code(400, _INVALID, "caller", False, "The JSON is nested too deeply."),
    "duplicate_key": Code(
        400, _INVALID, "caller", False, "An object has the same key twice, so its meaning is ambiguous."
    ),
    "invalid_request": Code(400, _INVALID, "caller", False, "A field is missing or has the wrong type."),
    # who
    "missing_key": Code(401, _INVALID, "caller", False, "No `Authorization: Bearer …` header with a virtual key."),
    "malformed_key": Code(401, _INVALID, "caller", False, "The key is not a Yett virtual key, or was mistyped."),
    "invalid_key": Code(401, _INVALID, "caller", False, "The key is not known here."),
    "revoked_key": Code(401, _INVALID, "caller", False, "The key was revoked."),
    "expired_key": Code(401, _INVALID, "caller", False, "The key has expired."),
    "fenced": Code(
        403, "policy_error", "policy", False, "Access was revoked for this caller, or for all of its team or tenant."
    ),
    "session_revoked": Code(
        401, _INVALID, "caller", False, "The credential was issued before its holder's sessions were ended."
    ),
    "malformed_token": Code(401, _INVALID, "caller", False, "The token is not a signed JWT that can be read."),
    "token_too_large": Code(401, _INVALID, "caller", False, "The token is longer than `identity.max_token_bytes`."),
    "unknown_issuer": Code(401, _INVALID, "caller", False, "The token is from nobody whose tokens are believed here."),
    "algorithm_refused": Code(
        401, _INVALID, "caller", False, "The token's algorithm is not one that is accepted from its issuer."
    ),
    "unknown_signing_key": Code(
        401, _INVALID, "caller", False, "The token names a signing key that its issuer does not publish."
    ),
    "invalid_signature": Code(401, _INVALID, "caller", False, "The token's signature is wrong."),
    "unacceptable_token": Code(
        401, _INVALID, "caller", False, "The token is genuine, but it is not one that may be used here."
    ),
    "expired_token": Code(401, _INVALID, "caller", False, "The token has expired."),
    "token_not_yet_valid": Code(401, _INVALID, "caller", False, "The token is not valid yet, or from the future."),
    "wrong_audience": Code(401, _INVALID, "caller", False, "The token is meant for somebody else."),
    "proof_required": Code(
        401, _INVALID, "caller", False, "The token is bound to a key, and the call does not prove possession of it."
    ),
    "invalid_proof": Code(401, _INVALID, "caller", False, "The proof of possession does not hold for this call."),
    "replayed_proof": Code(401, _INVALID, "caller", False, "The proof of possession was used before."),
    "certificate_required": Code(
        401, _INVALID, "caller", False, "The token is bound to a certificate, and the call does not come over one."
    ),
    "wrong_certificate": Code(
        401, _INVALID, "caller", False, "The token is bound to another certificate than that of the connection."
    ),
    "issuer_unavailable": Code(
        503, "server_error", "gateway", True, "The keys of the token's issuer cannot be had at the moment."
    ),
    "not_provisioned": Code(
        403,
        "policy_error",
        "policy",
        False,
        "The token is genuine, but its directory has no such user, or none with a team here.",
    ),
    "deactivated_user": Code(403, "policy_error", "policy", False, "The user was deactivated in the directory."),
    "directory_unavailable": Code(
        503, "server_error", "gateway", True, "The directory that the caller has to be in is being read."
    ),
    "invalid_certificate": Code(
        401, _INVALID, "caller", False, "Nobody who may vouch for the names in the certificate vouches for it."
    ),
    "expired_certificate": Code(401, _INVALID, "caller", False, "The certificate has expired."),
    "unacceptable_certificate": Code(
        401, _INVALID, "caller", False, "The certificate is genuine, but it is not one that may be used here."
    ),
    "untrusted_proxy": Code(
        401, _INVALID, "caller", False, "A certificate was passed on by somebody who is no proxy of this gateway."
    ),
    "malformed_forward": Code(401, _INVALID, "caller", False, "The certificate that a proxy passes on cannot be read."),
    # for whom
    "exchange_unavailable": Code(404, _INVALID, "caller", False, "No task tokens are issued here."),
    "unsupported_grant": Code(400, _INVALID, "caller", False, "The only grant is a token exchange."),
    "invalid_scope": Code(400, _INVALID, "caller", False, "The scope is malformed, or wider than what it is asked of."),
    "delegation_refused": Code(403, "policy_error", "policy", False, "The actor may not act for this subject."),
    "delegation_too_deep": Code(
        403, "policy_error", "limit", False, "The task has been handed on more often than is allowed."
    ),
    "task_tokens_exceeded": Code(
        429, "rate_limit_error", "limit", True, "As many task tokens with a budget live as this caller may have."
    ),
    # whether
    "model_not_found": Code(404, _INVALID, "caller", False, "No such model, or this key may not know of it."),
    "policy_denied": Code(403, "policy_error", "policy", False, "A policy refuses this call."),
    "policy_error": Code(
        403, "policy_error", "policy", False, "A policy could not be evaluated, which counts as a refusal."
    ),
    "content_blocked": Code(
        403, "policy_error", "policy", False, "A policy refuses this call because of what is in it."
    ),
    "attachment_unread": Code(
        403, "policy_error", "policy", False, "A file is attached that could not be read, so it could not be inspected."
    ),
    "guardrail_unavailable": Code(
        503, "server_error", "gateway", True, "A guardrail that must be heard has not judged the whole call."
    ),
    "vault_unavailable": Code(
        503, "server_error", "gateway", True, "What stands for values in this call cannot be kept for the next."
    ),
    "reply_blocked": Code(403, "policy_error", "policy", False, "A policy refuses to release the model's reply."),
    "reply_too_large": Code(502, "upstream_error", "upstream", False, "The reply exceeds `gateway.max_reply_bytes`."),
    "call_not_found": Code(404, _INVALID, "caller", False, "No such call of this caller."),
    # how much
    "rate_limit_exceeded": Code(429, "rate_limit_error", "limit", True, "Requests or tokens per minute are used up."),
    "concurrency_exceeded": Code(429, "rate_limit_error", "limit", True, "Too many calls in flight."),
    "budget_exceeded": Code(429, "insufficient_quota", "limit", False, "The budget of the period is used up."),
    "task_limit_exceeded": Code(
        429, "insufficient_quota", "limit", False, "The task has taken all steps, levels or money that it may take."
    ),
    "task_fanout_exceeded": Code(429, "rate_limit_error", "limit", True, "Too many calls of one task at once."),
    "unknown_price": Code(
        403, "policy_error", "limit", False, "No price is known for the model, so no budget can hold."
    ),
    "tasks_unavailable": Code(
        503, "server_error", "gateway", True, "What this task has done elsewhere cannot be known at present."
    ),
    "ledger_unavailable": Code(
        503, "server_error", "gateway", True, "The limits cannot be checked, so the call is refused."
    ),
    "audit_unavailable": Code(503, "server_error", "gateway", True, "The call cannot be recorded, so it is refused."),
    # upstream
    "upstream_error": Code(502, "upstream_error", "upstream", True, "The provider failed; attempts are in the record."),
    "upstream_timeout": Code(504, "upstream_error", "upstream", True, "The provider did not answer in time."),
    "upstream_unavailable": Code(503, "upstream_error", "upstream", True, "Every permitted target is cooling down."),
    "upstream_rate_limited": Code(429, "rate_limit_error", "upstream", True, "Every permitted target is rate limited."),
    "provider_rejected": Code(
        400, _INVALID, "caller", False, "The provider refused the request itself; see its message."
    ),
    "stream_truncated": Code(
        502, "upstream_error", "upstream", True, "The provider's stream ended without its terminator."
    ),
    # operators
    "sign_in_required": Code(401, _INVALID, "caller", False, "The request names no operator who is signed in."),
    "session_over": Code(401, _INVALID, "caller", False, "The session has ended; sign in again."),
    "sign_in_refused": Code(403, _INVALID, "caller", False, "The sign-in was not completed."),
    "sign_in_unavailable": Code(
        503, "server_error", "gateway", True, "The identity provider cannot be asked at the moment."
    ),
    "role_required": Code(403, "policy_error", "policy", False, "No role of this operator allows it."),
    "cross_site": Code(403, _INVALID, "caller", False, "A change that no page of the console asked for."),
    "wrong_host": Code(421, _INVALID, "caller", False, "The console is not to be reached by this name."),
    "conflict": Code(409, _INVALID, "caller", False, "The change does not fit what is there."),
    "state_unavailable": Code(
        503, "server_error", "gateway", True, "The state cannot be read or written at the moment."
    ),
    "internal_error": Code(500, "server_error", "gateway", True, "Yett itself failed; the call is recorded as failed."),
}


class YettError(Exception):
    """The root of everything Yett raises on purpose."""


class Mistake(Struct, frozen=True):
    """One thing wrong with the operator's files: `file:line: message`. `line` is 1-based, 0 when it concerns the whole file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class ConfigurationError(YettError):
    """The operator's files are wrong. Carries every mistake found, not the first."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class IntegrityError(YettError):
    """A store or a journal is not what it should be."""


class Refusal(YettError):
    """This call gets no (further) answer. `code` is a row of CODES; `retry_after` is seconds, 0 when unknown."""

    def __init__(
        self, code: str, message: str = "", *, param: str = "", retry_after: float = 0.0, policies: tuple[str, ...] = ()
    ) -> None:
        row = CODES[code]
        super().__init__(message or row.meaning)
        self.code = code
        self.status = row.status
        self.type = row.type
        self.fault = row.fault
        self.retry = row.retry
        self.param = param
        self.retry_after = retry_after
        self.policies = policies
        self.headers: tuple[tuple[str, str], ...] = ()
        self.fence = ""  # the label of the fence that refuses, for the record
