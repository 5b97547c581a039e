"""The settings of `[stores]`: what gateways on several machines share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from yett.config.scalars import CaFile, SecretReference, Timeout


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What gateways on several machines share. Without these, everything is in `state.dir`, for the processes of one machine."""

    state: Annotated[
        str,
        Meta(
            description="PostgreSQL that keys, fences and what is sealed are in: `postgresql://user@host:5432/yett`; one with a password is a "
            "reference, such as `env:YETT_STATE`."
        ),
    ] = ""
    configuration: Annotated[
        Literal["file", "shared"],
        Meta(
            description="Where everything but [gateway], [admin], [state], [audit], [stores], [credentials] and [log] is from: this file, or "
            "the revision that was last pushed with `yett config push`."
        ),
    ] = "file"
    pepper: Annotated[
        SecretReference,
        Meta(
            description="What keys are hashed with, 64 hexadecimal digits, the same on all machines; else a file in `state.dir`."
        ),
    ] = ""
    limits: Annotated[
        str,
        Meta(
            description="Valkey or Redis that all gateways count in: `redis://host:6379/0`, `rediss://` with TLS, `unix:///path`; "
            "one with a password is a reference, such as `env:YETT_LIMITS`."
        ),
    ] = ""
    deployment: Annotated[
        str,
        Meta(
            description="What this deployment is called in it; another one may use the same store under another name.",
            pattern="^[A-Za-z0-9._-]{1,64}$",
        ),
    ] = "yett"
    on_outage: Annotated[
        Literal["refuse", "local_share"],
        Meta(
            description="When it does not answer, calls that a budget holds are refused; others as well, or they go on within this "
            "machine's share of their rates."
        ),
    ] = "refuse"
    replicas: Annotated[
        int, Meta(description="Machines that share the limits: what `local_share` divides by.", ge=1, le=10_000)
    ] = 1
    timeout: Annotated[Timeout, Meta(description="For an answer of it; it counts as away after that.")] = 1.0
    ca_file: CaFile = ""
    plaintext: Annotated[
        bool,
        Meta(
            description="Allow a store that is not on this machine without TLS: whoever is on the way can change limits."
        ),
    ] = False
