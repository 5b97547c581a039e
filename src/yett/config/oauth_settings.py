"""The settings of `[providers.NAME.oauth]` and `[providers.NAME.aws]`: short-lived tokens instead of keys."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from yett.config.scalars import DURATION, CaFile, SecretReference, Timeout

_Lifetime = Annotated[float, Meta(ge=900, le=43_200), DURATION]
_Plaintext = Annotated[
    bool, Meta(description="Allow `http://` to a host that is not this machine: tokens travel unencrypted.")
]


class ServiceAccountSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A service account of Google Cloud: its token is what the provider is sent, in exchange for that of the endpoint (IAM Credentials
    API)."""

    email: Annotated[
        str,
        Meta(
            description="The account that the workload's identity may speak for.",
            pattern=r"^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+$",
        ),
    ]
    scopes: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(description="Scopes of its token.")] = (
        "https://www.googleapis.com/auth/cloud-platform",
    )
    lifetime: Annotated[_Lifetime, Meta(description="How long its token is to live.")] = 3600.0
    url: Annotated[str, Meta(description="Where such tokens are generated.", min_length=1)] = (
        "https://iamcredentials.googleapis.com"
    )


class AwsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A role of AWS, assumed with the identity of the workload (`AssumeRoleWithWebIdentity`): Bedrock is sent short-term keys that follow
    from its credentials, which are fetched off the path of calls, and again before they end."""

    role: Annotated[
        str,
        Meta(
            description="ARN of the role.", pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,600}$"
        ),
    ]
    region: Annotated[
        str,
        Meta(
            description="Region whose models are called, and whose token service is asked.",
            pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$",
        ),
    ]
    token_file: Annotated[
        str,
        Meta(
            description="File with the token of the workload, relative to yett.toml; read again for every request.",
            min_length=1,
        ),
    ]
    session_name: Annotated[
        str, Meta(description="What the session is called in AWS's records.", pattern=r"^[A-Za-z0-9+=,.@_-]{2,64}$")
    ] = "yett"
    lifetime: Annotated[_Lifetime, Meta(description="How long the role is assumed for; the role bounds it.")] = 3600.0
    sts_url: Annotated[str, Meta(description='The token service; "" is that of the region.')] = ""
    ca_file: CaFile = ""
    timeout: Annotated[Timeout, Meta(description="For one answer of the token service.")] = 10.0
    plaintext: _Plaintext = False


class OAuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Short-lived tokens of a token endpoint, instead of keys: OAuth client credentials, or the identity of the workload itself.
    They are fetched off the path of calls, and again before they end."""

    token_url: Annotated[str, Meta(description="The token endpoint.", min_length=1)]
    grant: Annotated[
        Literal["client_credentials", "token_exchange", "jwt_bearer"],
        Meta(
            description="Client credentials (RFC 6749 section 4.4); or the token in `token_file`, exchanged (RFC 8693) or as an "
            "assertion (RFC 7523)."
        ),
    ] = "client_credentials"
    client_id: Annotated[str, Meta(description='Client at the endpoint; "" sends none.')] = ""
    auth: Annotated[
        Literal["basic", "post", "private_key_jwt", "token_file", "none"],
        Meta(
            description="How the client proves itself: its secret in a header or in the body, a signature with `private_key`, the "
            "token in `token_file` as its assertion, or not at all."
        ),
    ] = "none"
    client_secret: Annotated[SecretReference, Meta(description='For `auth = "basic"` and `"post"`.')] = ""
    private_key: Annotated[
        SecretReference, Meta(description='For `auth = "private_key_jwt"`: RSA, EC or Ed25519, in PEM.')
    ] = ""
    key_id: Annotated[str, Meta(description="`kid` of the private key.")] = ""
    token_file: Annotated[
        str,
        Meta(description="File with the token of the workload, relative to yett.toml; read again for every request."),
    ] = ""
    subject_type: Annotated[str, Meta(description="Type of that token, for an exchange.")] = (
        "urn:ietf:params:oauth:token-type:jwt"
    )
    scope: Annotated[str, Meta(description="Scopes to ask for, separated by blanks.")] = ""
    audience: Annotated[str, Meta(description="`audience` to ask for.")] = ""
    resource: Annotated[str, Meta(description="`resource` to ask for (RFC 8707).")] = ""
    ca_file: CaFile = ""
    timeout: Annotated[Timeout, Meta(description="For one answer of the endpoint.")] = 10.0
    plaintext: _Plaintext = False
    service_account: Annotated[
        ServiceAccountSettings | None, Meta(description="An account of Google Cloud to speak for with that token.")
    ] = None
