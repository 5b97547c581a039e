"""The settings of `[gateway.tls]`: encryption of the port that applications call."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from yett.config.scalars import SecretReference, Timeout


class TlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS, 1.2 at least, on the port that applications call. Without this table it is not encrypted."""

    certificate_file: Annotated[
        str,
        Meta(
            description="The certificate, followed by those that lead to its authority, PEM, relative to yett.toml.",
            min_length=1,
        ),
    ]
    private_key: Annotated[
        SecretReference, Meta(description='Its key, PEM without a password, such as "file:tls/key.pem".', min_length=1)
    ]
    clients: Annotated[
        Literal["none", "optional", "required"],
        Meta(
            description="Whether callers are asked for a certificate of their own, of an authority in `identity.trust_domains` or "
            "`identity.client_cas`, and whether they must have one."
        ),
    ] = "none"
    handshake_timeout: Annotated[Timeout, Meta(description="For a handshake to be complete.")] = 10.0
