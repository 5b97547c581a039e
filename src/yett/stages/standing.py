"""A Standing as the `x-ratelimit-*` headers that OpenAI's clients read, on answers and on refusals alike."""

from __future__ import annotations

from math import ceil

from yett.ports import Standing


def standing_headers(standing: Standing) -> tuple[tuple[str, str], ...]:
    """Names and values in OpenAI's form: limit, remaining and time to full, of requests and of tokens; empty without limits.

    Source: https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
    """
    headers: tuple[tuple[str, str], ...] = ()
    if standing.limit_requests is not None:
        headers = (
            ("x-ratelimit-limit-requests", str(standing.limit_requests)),
            ("x-ratelimit-remaining-requests", str(standing.remaining_requests)),
            ("x-ratelimit-reset-requests", duration(standing.reset_requests)),
        )
    if standing.limit_tokens is not None:
        headers += (
            ("x-ratelimit-limit-tokens", str(standing.limit_tokens)),
            ("x-ratelimit-remaining-tokens", str(standing.remaining_tokens)),
            ("x-ratelimit-reset-tokens", duration(standing.reset_tokens)),
        )
    return headers


def duration(seconds: float) -> str:
    """As OpenAI writes it: `0s`, `120ms`, `1.5s`, `6m0s`, `1h0m0s`. Rounded up to whole milliseconds: never too early."""
    milliseconds = ceil(max(seconds, 0.0) * 1000 - 1e-6)
    if milliseconds == 0:
        return "0s"
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, milliseconds = divmod(milliseconds, 60_000)
    rest = f"{milliseconds / 1000:g}s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}"
    return f"{minutes}m{rest}" if minutes else rest
