"""Clouds: credentials of infrastructure, hosting, networks and the vaults that keep other credentials.

Sources: each provider's own description of its credentials (AWS IAM "Unique identifiers", Google Cloud "API keys", Microsoft
"Azure key formats", HashiCorp Vault "Token prefixes", and the like), and GitHub's list of supported secret scanning patterns.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.token import ALNUM, BASE64URL, END, UUID, after, token


def _mixed(text: str) -> bool:
    """Random base64, not hexadecimal, not a path of words."""
    letters_and_digits = "".join(filter(str.isalnum, text))
    return entropy.classes(letters_and_digits) == 3 and entropy.entropy(text) >= 4.0


_AWS: tuple[Detector, ...] = (
    # Amazon's own example of a key counts: its shape is exact, and whoever tries Yett out pastes that one.
    token("aws-access-key-id", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", kind="aws-access-key", valid=entropy.varied),
    token("aws-access-key-legacy", r"A3T[A-Z0-9][A-Z0-9]{16}", kind="aws-access-key", valid=entropy.varied),
    Detector(
        id="aws-secret-key-named",
        kind="secret.aws-secret-key",
        pattern=r"(?i:aws|amazon|secret)[A-Za-z0-9_ .-]{0,30}[\\]?[\"'`]?[ \t]{0,4}(?::=|=>|[:=,])[ \t]{0,4}[\\]?[\"'`]?"
        r"([A-Za-z0-9/+]{40})[^A-Za-z0-9/+=]",
        accept=when(_mixed),
    ),
    Detector(
        id="aws-secret-key-beside-id",
        kind="secret.aws-secret-key",
        pattern=r"""(?:AKIA|ASIA)[A-Z0-9]{16}[ \t\r\n,:;|"'/]{1,6}([A-Za-z0-9/+]{40})[^A-Za-z0-9/+=]""",
        accept=when(_mixed),
    ),
    token("aws-session-token", r"(?:FwoGZXIvYXdz|FQoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+]{40}", r"[A-Za-z0-9/+=]*"),
    token("aws-bedrock-key", r"ABSK[A-Za-z0-9+/]{100}", r"[A-Za-z0-9+/=]*"),
    token(
        "aws-bedrock-short-key",
        r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/]{8}",
        r"[A-Za-z0-9+/=]*",
        kind="aws-bedrock-key",
    ),
    token("aws-mws-token", rf"amzn\.mws\.{UUID}"),
    token("aws-appsync-key", r"da2-[a-z0-9]{26}"),
    token("aws-lwa-client-secret", r"amzn1\.oa2-cs\.v1\.[a-f0-9]{64}"),
    after("aws-lwa-token", r"Atz[ar]\|", r"[A-Za-z0-9_-]{100}", tail=BASE64URL),
)

_GOOGLE: tuple[Detector, ...] = (
    token("gcp-api-key", r"AIza[A-Za-z0-9_-]{35}", valid=entropy.issued),
    token("gcp-express-key", r"AQ\.Ab8[A-Za-z0-9_-]{40,60}", kind="gcp-api-key"),
    token("gcp-oauth-token", r"ya29\.[A-Za-z0-9_-]{20}", r"[A-Za-z0-9_.-]*"),
    token("gcp-oauth-client-secret", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    token("gcp-refresh-token", r"1//0[A-Za-z0-9_-]{30}", BASE64URL),
    token("gcp-hmac-key", r"GOOG(?:1E)?[A-Z0-9]{20}", r"[A-Z0-9]*", valid=entropy.random),
    token("firebase-cloud-messaging-key", r"AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{100}", BASE64URL),
)

_AZURE: tuple[Detector, ...] = (
    Detector(
        id="azure-account-key",
        kind="secret.azure-storage-key",
        pattern=r"(?i:AccountKey|SharedAccessKey|AccessKey|account[_-]key)[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?([A-Za-z0-9+/]{42,88}={1,2})[^A-Za-z0-9+/=]",
        accept=when(_mixed),
    ),
    Detector(
        id="azure-sas-signature",
        kind="secret.azure-sas",
        pattern=r"[?&;]sig=([A-Za-z0-9%/+]{43,90}(?:%3[Dd]|=){1,2})[^A-Za-z0-9%/+=]",
        accept=when(entropy.random),
    ),
    token("azure-client-secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    # Keys that carry the provider's own mark before their checksum.
    token("azure-devops-token", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    token("azure-ai-key", r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}"),
    token("azure-function-key", r"[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]={0,2}"),
    token("azure-search-key", r"[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}"),
    token("azure-cache-key", r"[A-Za-z0-9]{33}AzCa[A-P][A-Za-z0-9]{5}="),
    token("azure-registry-key", r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}"),
    token("azure-storage-marked-key", r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==", kind="azure-storage-key"),
    token("azure-cosmos-key", r"[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{5}[AQgw]=="),
    token("azure-batch-key", r"[A-Za-z0-9+/]{76}\+ABa[A-Za-z0-9+/]{5}[AQgw]=="),
    token("azure-service-bus-key", r"[A-Za-z0-9+/]{33}\+ASb[A-Za-z0-9+/]{5}="),
    token("azure-event-hub-key", r"[A-Za-z0-9+/]{33}\+AEh[A-Za-z0-9+/]{5}="),
    token("azure-iot-key", r"[A-Za-z0-9+/]{33}AIoT[A-Za-z0-9+/]{5}="),
    token("azure-relay-key", r"[A-Za-z0-9+/]{33}\+ARm[A-Za-z0-9+/]{5}="),
    token("azure-event-grid-key", r"[A-Za-z0-9]{33}AZEG[A-Za-z0-9]{5}="),
    token("azure-api-management-key", r"[A-Za-z0-9+/]{76}APIM[A-Za-z0-9+/]{5}[AQgw]=="),
    after("azure-function-url", r"\.azurewebsites\.net/[A-Za-z0-9/_.-]{1,60}\?code=", r"[A-Za-z0-9_/+%=-]{40,90}", kind="azure-function-key", end=r"[^A-Za-z0-9_/+%=-]"),
    after("azure-logic-app", r"logic\.azure\.com(?::443)?/workflows/[a-f0-9]{32}/[A-Za-z0-9/?&._%=-]{10,60}sig=", r"[A-Za-z0-9_-]{40,50}", end=END),
    token("azure-bot-key", r"[A-Za-z0-9_-]{11}\.cwA\.[A-Za-z0-9_-]{3}\.[A-Za-z0-9_-]{43}"),
)  # fmt: skip

_HOSTING: tuple[Detector, ...] = (
    token("alibaba-access-key", r"LTAI[A-Za-z0-9]{12,24}"),
    token("alibaba-session-key", r"STS\.N[A-Za-z0-9]{22,30}", kind="alibaba-access-key"),
    token("tencent-secret-id", r"AKID[A-Za-z0-9]{32}"),
    token("volcengine-access-key", r"AKLT[A-Za-z0-9]{40,50}"),
    token("digitalocean-token", r"do[opr]_v1_[a-f0-9]{64}"),
    token("digitalocean-spaces-key", r"DO00[A-Z0-9]{16}"),
    token("scaleway-access-key", r"SCW[A-Z0-9]{17}"),
    token("exoscale-key", r"EXO[a-f0-9]{24}"),
    token("upcloud-token", r"ucat_[A-Z0-9]{26}"),
    token("yandex-api-key", r"AQVN[A-Za-z0-9_-]{35,38}"),
    token("yandex-iam-token", r"t1\.[A-Za-z0-9_-]{10,120}={0,2}\.[A-Za-z0-9_-]{80,100}={0,2}"),
    token("yandex-oauth-token", r"y0_[A-Za-z0-9_-]{30}", BASE64URL),
    token("yandex-captcha-key", r"ysc2_[A-Za-z0-9]{40,48}"),
    token("cloudflare-origin-key", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
    token("cloudflare-token", r"cf(?:ut|at|k)_[A-Za-z0-9]{40}", ALNUM),
    token("heroku-key", r"HRKU-[A-Za-z0-9_-]{36}", BASE64URL),
    token("flyio-token", r"(?:fo1_[A-Za-z0-9_-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{60})", r"[A-Za-z0-9+/=]*"),
    token("render-key", r"rnd_[A-Za-z0-9]{32}"),
    token("vercel-token", r"vc[pirak]_[A-Za-z0-9]{24,60}"),
    token("vercel-blob-token", r"vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30}"),
    token("netlify-token", r"nf[pcuboi]_[A-Za-z0-9_-]{36}"),
    token("akamai-token", r"ak[a-z]{2}-[a-z0-9]{16}-[a-z0-9]{16}"),
    token("tailscale-key", r"tskey-(?:[a-z]{2,10}-)?[A-Za-z0-9]{6,20}(?:CNTRL)?-[A-Za-z0-9]{16}", ALNUM),
    token("ngrok-token", r"2[A-Za-z0-9]{26}_[A-Za-z0-9]{20,22}", anchor=r"[A-Za-z0-9]_[A-Za-z0-9]{20}"),
    token("ngrok-key", r"(?:ak|cr)_2[A-Za-z0-9]{24,30}", kind="ngrok-token"),
)

_VAULTS: tuple[Detector, ...] = (
    token("vault-token", r"hv[bsr]\.[A-Za-z0-9_-]{24}", BASE64URL),
    token("vault-legacy-token", r"[sbr]\.[A-Za-z0-9]{24}", kind="vault-token", valid=entropy.mixed),
    token("terraform-token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40}", r"[A-Za-z0-9_=-]*"),
    token("pulumi-token", r"pul-[a-f0-9]{40}"),
    token("doppler-token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    token("infisical-token", r"st\.[a-f0-9-]{24,36}\.[a-f0-9]{32}\.[a-f0-9]{32}"),
    token("onepassword-service-token", r"ops_eyJ[A-Za-z0-9+/]{100}", r"[A-Za-z0-9+/=]*"),
    token("onepassword-secret-key", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),
    token("akeyless-key", r"p-[a-z0-9]{12}:[A-Za-z0-9+/]{43}="),
    token("age-secret-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    token("openshift-token", r"sha256~[A-Za-z0-9_-]{43}"),
    token("rancher-token", r"token-[a-z0-9]{5}:[a-z0-9]{54}"),
    token("scalr-token", r"at-[a-z0-9]{15}\.[A-Za-z0-9_-]{32,48}"),
    token("ory-token", r"ory_(?:pat|apikey|st|at|rt)_[A-Za-z0-9_-]{32}", BASE64URL),
    token("stytch-secret", r"secret-(?:live|test)-[A-Za-z0-9_-]{36}="),
    token("appwrite-key", r"standard_[a-f0-9]{128}", r"[a-f0-9]*"),
    token("secret-token-uri", r"secret-token:[A-Za-z0-9._~%-]{16,120}", kind="secret-token"),  # RFC 8959
    token("authress-key", r"(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}"),
    token("defined-networking-token", r"dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"),
    token("bitwarden-token", rf"0\.{UUID}\.[A-Za-z0-9]{{30}}:[A-Za-z0-9+/]{{22}}=="),
    token("phase-token", r"pss_(?:service|user):v[0-9]:[a-f0-9]{64}(?::[a-f0-9]{64}){1,2}"),
    after("ansible-vault", r"\$ANSIBLE_VAULT;1\.[12];AES256(?:;[A-Za-z0-9_.-]{1,32})?(?:\\n|[ \t\r\n]){1,12}", r"[0-9a-f]{40}", kind="encrypted-vault", tail=r"[0-9a-f]*"),
)  # fmt: skip

CLOUDS: tuple[Detector, ...] = (*_AWS, *_GOOGLE, *_AZURE, *_HOSTING, *_VAULTS)
