"""The settings of `[gateway.tls]`: encryption of the port that applications call."""

from __future__ import annotations

from typing import Annotated

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
    handshake_timeout: Annotated[Timeout, Meta(description="For a handshake to be complete.")] = 10.0
