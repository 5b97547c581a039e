"""Communication: chat, mail, telephony, social networks, maps and media.

Sources: each provider's own API reference (Slack "Token types", Discord, Telegram "Authorizing your bot", Twilio, SendGrid,
Mailgun, Meta "Access tokens", Mapbox "Access tokens", …); GitHub's list of supported secret scanning patterns.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.token import ALNUM, BASE64URL, UUID, after, token


def _slack(text: str) -> bool:
    """Parts of a token are numbers, so it has little entropy."""
    return entropy.digits(text) >= 6 and "xxxx" not in text.lower() and "00000" not in text


_CHAT: tuple[Detector, ...] = (
    token("slack-token", r"xox[abeoprsdc](?:\.xox[bp])?-[0-9A-Za-z]{1,13}-[A-Za-z0-9-]{10}", r"[A-Za-z0-9-]*", valid=_slack),
    after("slack-cookie", r"[^A-Za-z0-9]", r"xoxd-[A-Za-z0-9%+/_-]{60}", kind="slack-token", tail=r"[A-Za-z0-9%+/=_-]*"),
    token("slack-app-token", r"xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,16}-[a-z0-9]{16}", r"[a-z0-9]*", kind="slack-token"),
    token("slack-configuration-token", r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{40}", ALNUM, kind="slack-token"),
    Detector(
        id="slack-webhook",
        kind="secret.slack-webhook",
        pattern=r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{36})",
        accept=when(entropy.random),
        tail=r"[A-Za-z0-9+/]*",
    ),
    token(
        "discord-token",
        r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        anchor=r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}",
    ),
    after("discord-webhook", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/", r"[0-9]{17,20}/[A-Za-z0-9_-]{60,68}"),
    token("telegram-token", r"[0-9]{7,11}:A[A-Za-z0-9_-]{34}"),
    after("teams-webhook", r"(?:webhook\.office\.com|outlook\.office(?:365)?\.com)/webhook", rf"b?2?/{UUID}@{UUID}/IncomingWebhook/[a-zA-Z0-9]{{32}}/{UUID}", end=r"[^A-Fa-f0-9]"),
    after("google-chat-webhook", r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{8,16}/messages\?key=[A-Za-z0-9_-]{39}&token=", r"[A-Za-z0-9_%=-]{30,60}", end=r"[^A-Za-z0-9_%=-]"),
    after("zapier-webhook", r"hooks\.zapier\.com/hooks/catch/", r"[0-9]{4,10}/[A-Za-z0-9]{6,24}"),
    after("ifttt-webhook", r"maker\.ifttt\.com/trigger/[A-Za-z0-9_{}-]{1,40}/(?:json/)?with/key/", r"[A-Za-z0-9_-]{20,50}"),
    after("make-webhook", r"hook\.(?:eu1|eu2|us1|us2|integromat)\.(?:make\.)?com/", r"[a-z0-9]{30,40}"),
    after("lark-webhook", r"open\.(?:feishu|larksuite)\.(?:cn|com)/open-apis/bot/v2/hook/", UUID),
    after("dingtalk-webhook", r"oapi\.dingtalk\.com/robot/send\?access_token=", r"[a-f0-9]{64}"),
    after("wecom-webhook", r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=", UUID),
    token("dingtalk-robot-secret", r"SEC[a-f0-9]{64}", kind="dingtalk-secret"),
    token("pushbullet-token", r"o\.[A-Za-z0-9]{32}"),
    token("onesignal-key", r"os_v2_(?:app|org)_[a-z2-7]{80,110}"),
    token("intercom-token", r"dG9rO[A-Za-z0-9+/]{50,58}={0,2}"),
    token("courier-key", r"pk_(?:prod|test)_[A-Z0-9]{28}"),
    token("knock-key", r"sk_(?:test|live)?_?[A-Za-z0-9_-]{43}", valid=entropy.mixed),
    token("novu-key", r"nv-[a-f0-9]{32}"),
    token("pubnub-key", rf"(?:sec-c-[A-Za-z0-9]{{40,60}}|(?:pub|sub)-c-{UUID})"),
)  # fmt: skip

_MAIL: tuple[Detector, ...] = (
    token("sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    token("mailgun-key", r"(?:key-[a-zA-Z0-9]{32}|(?:pubkey-)[a-f0-9]{32})"),
    token("mailchimp-key", r"[a-f0-9]{32}-us[0-9]{1,2}"),
    token("mandrill-key", r"md-[A-Za-z0-9_-]{22}", valid=entropy.mixed),
    token("brevo-key", r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    token("mailersend-token", r"mlsn\.[a-f0-9]{64}"),
    token("resend-key", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}"),
    token("klaviyo-key", r"pk_[a-f0-9]{34}"),
    token("mailgun-signing-key", r"[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}", kind="mailgun-key", anchor=r"[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}"),
)  # fmt: skip

_TELEPHONY: tuple[Detector, ...] = (
    token("twilio-key", r"SK[0-9a-fA-F]{32}"),
    token("twilio-account", r"AC[0-9a-f]{32}", kind="twilio-account-id"),
)  # fmt: skip

_SOCIAL: tuple[Detector, ...] = (
    after("facebook-token", r"[^A-Za-z0-9+/]", r"EAA[A-Za-z0-9]{40}", tail=ALNUM),
    after(
        "facebook-app-token",
        r"[^0-9][0-9]{13,17}(?:\||%7C)",
        r"[A-Za-z0-9_-]{24,40}",
        kind="facebook-token",
        anchor=r"[0-9](?:\||%7C)[A-Za-z0-9_-]{24}",
    ),
    token("instagram-token", r"IG(?:QV|AA)[A-Za-z0-9_-]{60}", BASE64URL),
    token("threads-token", r"THAA[A-Za-z0-9_-]{60}", BASE64URL),
    token("twitter-bearer", r"A{20,24}[A-Za-z0-9%]{60}", r"[A-Za-z0-9%]*", kind="twitter-token", valid=entropy.varied),
    token("linkedin-secret", r"WPL_AP[01]\.[A-Za-z0-9+/.]{16,40}(?:==)?", kind="linkedin-token"),
    token("linkedin-token", r"AQ[UVWX][A-Za-z0-9_-]{120}", BASE64URL),
    token("pinterest-token", r"pina_[A-Z0-9]{40}", ALNUM),
    token("tiktok-token", r"act\.[A-Za-z0-9]{60,80}(?:![0-9]{4}\.[a-z]{2})?"),
    token("snapchat-token", r"hCgwK[A-Za-z0-9_-]{60}", BASE64URL),
    token("twitch-token", r"oauth:[a-z0-9]{30}"),
    token("twitch-stream-key", r"live_[0-9]{6,10}_[A-Za-z0-9]{30}", kind="twitch-token"),
)  # fmt: skip

_MEDIA: tuple[Detector, ...] = (
    token("mapbox-token", r"[sp]k\.eyJ1[A-Za-z0-9_-]{40,140}\.[A-Za-z0-9_-]{20,24}"),
    token("arcgis-key", r"AAPK[A-Za-z0-9_-]{80}", BASE64URL),
    token("arcgis-token", r"AAPT[A-Za-z0-9_-]{80}", BASE64URL, kind="arcgis-key"),
    token("imagekit-key", r"(?:private|public)_[A-Za-z0-9+/]{27}=", kind="imagekit-key"),
    token("shutterstock-token", r"v2/[A-Za-z0-9]{60}", r"[A-Za-z0-9+/=_-]*"),
)  # fmt: skip

COMMUNICATION: tuple[Detector, ...] = (*_CHAT, *_MAIL, *_TELEPHONY, *_SOCIAL, *_MEDIA)
