"""What must hold between the settings of `[providers.NAME.oauth]`, before anything is sent to a token endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from yett.config.checks import check_private
from yett.config.decoding import Problem
from yett.config.oauth_settings import OAuthSettings
from yett.config.settings import Settings

_PROOFS = {
    "basic": ("client_id", "client_secret"),
    "post": ("client_id", "client_secret"),
    "private_key_jwt": ("client_id", "private_key"),
    "token_file": ("token_file",),
    "none": (),
}
_SECRETS = {"client_secret": ("basic", "post"), "private_key": ("private_key_jwt",)}


def check_oauth(settings: Settings) -> list[Problem]:
    """Every mistake in `[providers.NAME.oauth]`."""
    return [
        (("providers", name, "oauth", *path), problem)
        for name, provider in settings.providers.items()
        if provider.oauth is not None
        for path, problem in _oauth(provider.oauth, keys=bool(provider.key or provider.keys))
    ]


def _oauth(oauth: OAuthSettings, *, keys: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    if keys:
        yield (), 'give either "keys" or "oauth"'
    if oauth.token_url and (trouble := check_private(oauth.token_url, "secrets and tokens", plaintext=oauth.plaintext)):
        yield ("token_url",), trouble
    for need in _PROOFS[oauth.auth]:
        if not getattr(oauth, need):
            yield (need,), f'auth = "{oauth.auth}" needs it'
    for setting, proofs in _SECRETS.items():
        if getattr(oauth, setting) and oauth.auth not in proofs:
            yield (setting,), f'is not used with auth = "{oauth.auth}"; write auth = "{proofs[0]}"'
    if oauth.grant != "client_credentials" and not oauth.token_file:
        yield ("token_file",), f'grant = "{oauth.grant}" needs it'
    if oauth.grant != "client_credentials" and oauth.auth == "token_file":
        yield (
            ("auth",),
            f'with grant = "{oauth.grant}" the file has what is exchanged, not what the client proves itself with',
        )
    if oauth.grant == "client_credentials" and oauth.auth == "none":
        yield (
            ("auth",),
            'anybody could have such a token; write auth = "basic", "post", "private_key_jwt" or "token_file"',
        )
