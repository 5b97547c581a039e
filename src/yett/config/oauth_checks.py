"""What must hold between the settings of `[providers.NAME.oauth]` and `[providers.NAME.aws]`, before anything is sent to a token
endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from yett.config.checks import check_private
from yett.config.decoding import Problem
from yett.config.oauth_settings import OAuthSettings
from yett.config.provider_settings import ProviderSettings
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
    """Every mistake in these tables."""
    return [
        (("providers", name, *path), problem)
        for name, provider in settings.providers.items()
        for path, problem in _mistakes(provider)
    ]


def _mistakes(provider: ProviderSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    keys, oauth, aws = bool(provider.key or provider.keys), provider.oauth, provider.aws
    if oauth is not None:
        if keys:
            yield ("oauth",), 'give either "keys" or "oauth"'
        yield from ((("oauth", *path), problem) for path, problem in _oauth(oauth))
    if aws is not None:
        if keys or oauth is not None:
            yield ("aws",), 'give either "keys", "oauth" or "aws"'
        if aws.sts_url and (trouble := check_private(aws.sts_url, "tokens", plaintext=aws.plaintext)):
            yield ("aws", "sts_url"), trouble


def _oauth(oauth: OAuthSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    if oauth.token_url and (trouble := check_private(oauth.token_url, "secrets and tokens", plaintext=oauth.plaintext)):
        yield ("token_url",), trouble
    account = oauth.service_account
    if account is not None and (trouble := check_private(account.url, "tokens", plaintext=oauth.plaintext)):
        yield ("service_account", "url"), trouble
    if account is not None and not account.scopes:
        yield ("service_account", "scopes"), "is empty; leave it out for everything that the account may do"
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
