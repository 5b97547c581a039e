"""From `[providers.NAME.oauth]` or `[providers.NAME.aws]` to the Grant that a provider's tokens are got by."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from yett.config.oauth_settings import AwsSettings, OAuthSettings, ServiceAccountSettings
from yett.config.provider_settings import ProviderSettings
from yett.config.reading import Reading
from yett.config.secrets import PRIVATE_KEY
from yett.errors import Mistake
from yett.model.route import AssumedRole, Grant, Secret, ServiceAccount

_LEAST_RSA = 2048  # bits, RFC 7518 section 3.3


def grant(provider: ProviderSettings, reading: Reading) -> Grant | None:
    """That of a provider without mistakes; None when it has keys, or nothing."""
    if provider.aws is not None:
        return _aws(provider.aws, reading)
    return _oauth(provider.oauth, reading) if provider.oauth is not None else None


def _aws(settings: AwsSettings, reading: Reading) -> Grant:
    return Grant(
        kind="web_identity",
        url=settings.sts_url or f"https://sts.{settings.region}.amazonaws.com",
        client="",
        proof="none",
        file=str(reading.own(settings.token_file)),
        ca_file=str(reading.resolve(settings.ca_file)) if settings.ca_file else "",
        timeout=settings.timeout,
        role=AssumedRole(settings.role, settings.session_name, settings.region, int(settings.lifetime)),
    )


def _oauth(settings: OAuthSettings, reading: Reading) -> Grant:
    return Grant(
        kind=settings.grant,
        url=settings.token_url,
        client=settings.client_id,
        proof=settings.auth,
        secret=reading.secrets[settings.client_secret] if settings.client_secret else None,
        private_key=reading.secrets[settings.private_key] if settings.private_key else None,
        key_id=settings.key_id,
        file=str(reading.own(settings.token_file)) if settings.token_file else "",
        file_type=settings.subject_type,
        scope=settings.scope,
        audience=settings.audience,
        resource=settings.resource,
        ca_file=str(reading.resolve(settings.ca_file)) if settings.ca_file else "",
        timeout=settings.timeout,
        account=_account(settings.service_account) if settings.service_account is not None else None,
    )


def _account(settings: ServiceAccountSettings) -> ServiceAccount:
    url = f"{settings.url.rstrip('/')}/v1/projects/-/serviceAccounts/{settings.email}:generateAccessToken"
    return ServiceAccount(url, settings.scopes, int(settings.lifetime))


def check_keys(reading: Reading, mistakes: list[Mistake]) -> None:
    """Whether tokens can be asked for with the private keys that were read."""
    for name, provider in reading.settings.providers.items():
        oauth = provider.oauth
        if oauth is not None and (secret := reading.secrets.get(oauth.private_key)) and not _can_sign(secret):
            path = ("providers", name, "oauth", PRIVATE_KEY)
            mistakes.append(
                reading.mistake(path, "is no private key to sign with: RSA of 2048 bits, P-256, P-384 or Ed25519")
            )


def _can_sign(secret: Secret) -> bool:
    try:
        key = load_pem_private_key(secret.reveal().encode(), None)
    except (ValueError, TypeError):  # a key with a password is a TypeError
        return False
    if isinstance(key, rsa.RSAPrivateKey):
        return key.key_size >= _LEAST_RSA
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return isinstance(key, ed25519.Ed25519PrivateKey)
