"""OAuth on the wire: forms, and the answers and errors of a token endpoint (RFC 6749 sections 4 and 5, RFC 8693 section 2)."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec

from yett.errors import Refusal

MOST_FIELDS = 32
_CODES = {
    "unsupported_grant": "unsupported_grant_type",
    "invalid_scope": "invalid_scope",
    "delegation_refused": "invalid_grant",
    "delegation_too_deep": "invalid_grant",
    "expired_token": "invalid_grant",
    "policy_denied": "access_denied",
}


def form(body: bytes) -> dict[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body. Raises Refusal("invalid_request") also for a field that comes
    twice (RFC 6749 section 3.2)."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Refusal("invalid_request", "The body is no application/x-www-form-urlencoded form.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refusal("invalid_request", "A field of the form comes twice.")
    return {name: value for name, value in fields.items() if value}  # an empty one counts as left out (section 3.2)


def token_response(token: bytes, seconds: int, scope: str, task: str, type: str) -> bytes:
    """RFC 8693 section 2.2.1."""
    answer: dict[str, object] = {
        "access_token": token.decode("ascii"),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": type,
        "expires_in": seconds,
        "task": task,
    }
    if scope:
        answer["scope"] = scope
    return msgspec.json.encode(answer)


def error_body(refusal: Refusal, call: str) -> bytes:
    """RFC 6749 section 5.2, and under `yett` what the gateway says everywhere else."""
    code = _CODES.get(refusal.code) or ("invalid_client" if refusal.status == 401 else "invalid_request")
    if refusal.status >= 500 or refusal.status == 429:
        code = "temporarily_unavailable"
    return msgspec.json.encode(
        {
            "error": code,
            "error_description": str(refusal),
            "yett": {"call": call, "code": refusal.code, "fault": refusal.fault, "retry": refusal.retry},
        }
    )
