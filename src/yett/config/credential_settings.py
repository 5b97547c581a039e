"""The settings of `[credentials]`: what sealed credentials are opened with."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from yett.config.scalars import CaFile, SecretReference, Timeout


class TransitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A key-encryption key that stays in OpenBao or Vault, whose transit engine wraps and unwraps. It is asked when
    configuration is read and credentials are changed, never on the path of a call."""

    address: Annotated[str, Meta(description='The server, as in "https://bao.example:8200"; "" does without.')] = ""
    key: Annotated[str, Meta(description="Name of the transit key.")] = "yett"
    mount: Annotated[str, Meta(description="Where the engine is mounted.", min_length=1)] = "transit"
    namespace: Annotated[str, Meta(description="Namespace of the server, if it has any.")] = ""
    token: Annotated[SecretReference, Meta(description="Token that may encrypt and decrypt with the key.")] = ""
    ca_file: CaFile = ""
    timeout: Annotated[Timeout, Meta(description="For one answer of the server.")] = 5.0
    plaintext: Annotated[
        bool,
        Meta(description="Allow `http://` to a host that is not this machine: token and data keys travel unencrypted."),
    ] = False


class CredentialSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What sealed credentials (`sealed:NAME`) are opened with: a key-encryption key from a file, a variable or a service."""

    kek: Annotated[
        SecretReference,
        Meta(
            description='Key-encryption key, "env:NAME" or "file:PATH": 32 random bytes in base64, several with commas, the newest '
            'first. "" is the file `kek` in the state directory, made on first use.'
        ),
    ] = ""
    transit: Annotated[TransitSettings, Meta(description="A service that keeps the key.")] = TransitSettings()
