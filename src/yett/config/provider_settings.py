"""The settings of `[providers.NAME]`: upstreams that serve models. `oauth_settings` has those of their short-lived tokens."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from yett.config.oauth_settings import AwsSettings, OAuthSettings
from yett.config.scalars import CaFile, SecretReference, Timeout


class TimeoutSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long each phase of one attempt may take."""

    connect: Annotated[Timeout, Meta(description="To connect, TLS included.")] = 5.0
    first_byte: Annotated[Timeout, Meta(description="Until the first byte of the answer.")] = 60.0
    between_chunks: Annotated[Timeout, Meta(description="Between two pieces of a streamed answer.")] = 60.0
    total: Annotated[Timeout, Meta(description="For the whole attempt, stream included.")] = 600.0


class ProviderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An upstream that serves models."""

    kind: Annotated[str, Meta(description="What it speaks: an item of the providers shelf.", min_length=1)]
    base_url: Annotated[str, Meta(description='Its address, up to and including "/v1"; "" is the kind\'s own.')] = ""
    keys: Annotated[
        tuple[SecretReference, ...],
        Meta(
            description='Pool of API keys, each "env:NAME", "file:PATH" or "sealed:NAME"; one that is refused is set aside.'
        ),
    ] = ()
    key: Annotated[SecretReference, Meta(description="Short for `keys` with one element.")] = ""
    oauth: Annotated[OAuthSettings | None, Meta(description="Short-lived tokens instead of keys.")] = None
    aws: Annotated[AwsSettings | None, Meta(description="A role of AWS instead of keys, for Amazon Bedrock.")] = None
    labels: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(description='What policies know it by, such as "external" or "on-prem".'),
    ] = ()
    timeouts: Annotated[TimeoutSettings, Meta(description="Time limits per phase of one attempt.")] = TimeoutSettings()
    ca_file: CaFile = ""
    plaintext: Annotated[
        bool,
        Meta(description="Allow `http://` to a host that is not this machine: prompts and keys travel unencrypted."),
    ] = False

    @property
    def keyless(self) -> bool:
        """Whether it is sent short-lived tokens."""
        return self.oauth is not None or self.aws is not None
