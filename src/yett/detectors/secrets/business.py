"""Business: payments, commerce, finance, and the software that offices run on.

Sources: each provider's own API reference (Stripe "API keys", Shopify "Access tokens", Square "Access tokens", Plaid, Adyen, …);
GitHub's list of supported secret scanning patterns.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector
from yett.detectors.secrets.token import ALNUM, BASE64URL, UUID, after, token

_PAYMENTS: tuple[Detector, ...] = (
    token("stripe-key", r"[rs]k_(?:test|live|prod)_[A-Za-z0-9]{16}", ALNUM),
    token("stripe-webhook-secret", r"whsec_[A-Za-z0-9+/]{24}", r"[A-Za-z0-9+/=]*"),
    token("square-token", r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}"),
    token("square-access-token", r"EAAA[A-Za-z0-9_-]{60}", kind="square-token"),
    token("paypal-token", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    token("paypal-oauth-token", r"A21AA[A-Za-z0-9_-]{60}", BASE64URL, kind="paypal-token"),
    token("plaid-token", rf"access-(?:sandbox|development|production)-{UUID}"),
    token("adyen-key", r"AQE[a-z]hmf[A-Za-z0-9+/=-]{40}", r"[A-Za-z0-9+/=*-]*"),
    token("razorpay-key", r"rzp_(?:live|test)_[A-Za-z0-9]{14}"),
    token("flutterwave-key", r"FLWSECK(?:_TEST)?-[a-f0-9A-Z]{12,40}(?:-X)?"),
    token("flutterwave-public-key", r"FLWPUBK(?:_TEST)?-[a-f0-9A-Z]{32}-X", kind="flutterwave-key"),
    token("mollie-key", r"(?:live|test)_[A-Za-z0-9]{30}", valid=entropy.mixed),
    token("mollie-access-token", r"access_[A-Za-z0-9]{30}", kind="mollie-key", valid=entropy.mixed),
    token("checkout-key", rf"sk_(?:test_|sbox_)?(?:{UUID}|[a-z0-9]{{26}}[a-z0-9*#$=])"),
    token("gocardless-token", r"(?:live|sandbox)_[A-Za-z0-9_-]{40}", valid=entropy.mixed),
    token("duffel-token", r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
    token("easypost-key", r"EZ[AT]K[A-Za-z0-9]{54}"),
    token("shippo-token", r"shippo_(?:live|test)_[a-f0-9]{40}"),
    token("lob-key", r"(?:live|test)_(?:pub_)?[a-f0-9]{31,35}"),
    token("xendit-key", r"xnd_(?:production|development)_[A-Za-z0-9]{40}", r"[A-Za-z0-9=]*"),
    token("midtrans-key", r"(?:SB-)?Mid-(?:server|client)-[A-Za-z0-9_-]{16,28}"),
    token("mercadopago-token", r"(?:APP_USR|TEST)-[0-9]{14,18}-[0-9]{6}-[a-f0-9]{32}-[0-9]{6,12}"),
    token("paddle-key", r"pdl_(?:live|sdbx)_(?:apikey_)?[a-z0-9]{26}_[A-Za-z0-9_]{20,32}"),
    token("polar-token", r"polar_(?:pat|oat|at_[a-z])_[A-Za-z0-9]{30,60}"),
    token("onfido-token", r"api_(?:live|sandbox)(?:_(?:eu|us|ca))?\.[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{32}"),
    token("persona-key", r"persona_(?:production|sandbox)_[a-f0-9-]{36}"),
    token("wepay-token", r"(?:STAGE|PRODUCTION)_[a-f0-9]{64}"),
    token("fullstory-key", r"na1\.[A-Za-z0-9+/]{60,110}={0,2}"),
    token("telnyx-key", r"KEY[0-9A-F]{32}_[A-Za-z0-9]{22}"),
    token("coinbase-commerce-key", r"organizations/[a-f0-9-]{36}/apiKeys/[a-f0-9-]{36}", kind="coinbase-key"),
    token("shopify-token", r"shp(?:at|ca|pa|ss|ua|tka|it)_[a-fA-F0-9]{32}"),
    token("woocommerce-secret", r"c[sk]_[a-f0-9]{40}"),
    token("ebay-token", r"v\^1\.1#i\^1#[A-Za-z0-9#^/+=]{40,180}"),
    token("liveblocks-key", r"sk_dev_[A-Za-z0-9_-]{50,90}"),
    token("nylas-key", r"nyk_v0_[A-Za-z0-9]{40,72}"),
    token("ebay-cert-id", r"(?:PRD|SBX)-[a-f0-9]{12}-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}"),
    token("asaas-key", r"\$aact_(?:prod_|hmlg_)?[A-Za-z0-9:=]{60,200}"),
)  # fmt: skip

_OFFICE: tuple[Detector, ...] = (
    token("figma-token", r"fig[a-z]_[A-Za-z0-9_-]{36,44}"),
    after(  # not the name of an image
        "figma-legacy-token",
        r"[^A-Za-z0-9/._-]",
        rf"[0-9]{{6,12}}-{UUID}",
        kind="figma-token",
        anchor=rf"[0-9]-{UUID}",
    ),
    token("linear-key", r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{40}", ALNUM),
    token("notion-token", r"(?:secret_[A-Za-z0-9]{43}|ntn_[0-9]{11}[A-Za-z0-9]{35})"),
    token("airtable-token", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    token("airtable-key", r"key[A-Za-z0-9]{14}", kind="airtable-token", valid=entropy.mixed),
    token("asana-token", r"[012]/[0-9]{12,18}(?:/[0-9]{12,18})?:[a-f0-9]{32}"),
    token("clickup-token", r"pk_[0-9]{5,9}_[A-Z0-9]{32}"),
    token("trello-token", r"ATTA[a-f0-9]{64}"),
    token("typeform-token", r"tfp_[A-Za-z0-9_.-]{40,64}"),
    token("contentful-token", r"CFPAT-[A-Za-z0-9_-]{43}"),
    token("contentstack-token", r"blt[a-f0-9]{16}", valid=entropy.mixed),
    token("contentstack-management-token", r"cs[a-f0-9]{40}", kind="contentstack-token"),
    token("webflow-token", r"ws-[a-f0-9]{64}"),
    token("hubspot-token", rf"pat-(?:na|eu|ap)[0-9]-{UUID}"),
    token("salesforce-session", r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60}", r"[A-Za-z0-9._]*"),
    token("salesforce-consumer-key", r"3MVG9[A-Za-z0-9_.]{70}", r"[A-Za-z0-9_.]*", kind="salesforce-key"),
    token("salesforce-refresh-token", r"5Aep861[A-Za-z0-9_.]{60}", r"[A-Za-z0-9_.]*", kind="salesforce-session"),
    token("dropbox-token", r"sl\.(?:u\.)?[A-Za-z0-9_-]{130}", BASE64URL),
    token("dropbox-long-token", r"[a-z0-9]{11}AAAAAAAAAA[A-Za-z0-9_=-]{43}", kind="dropbox-token"),
    token("adobe-client-secret", r"p8e?-[A-Za-z0-9_-]{32}"),
    token("canva-secret", r"cnvca[A-Za-z0-9_-]{50,56}"),
    token("frameio-token", r"fio-u-[A-Za-z0-9_=-]{60,68}"),
    token("lark-token", r"[tu]-g[a-z0-9]{3,5}[A-Za-z0-9_-]{24,50}", valid=entropy.mixed),
    token("beamer-token", r"b_[A-Za-z0-9=_-]{44}", valid=entropy.mixed),
    token("rootly-key", r"rootly_[a-f0-9]{64}"),
    token("settlemint-token", r"sm_(?:aat|pat|sat)_[A-Za-z0-9]{16}"),
    token("scalingo-token", r"tk-us-[A-Za-z0-9_-]{48}"),
    token("intra-secret", r"s-s4t2(?:af|ud)-[a-f0-9]{64}"),
    token("zuplo-key", r"zpka_[a-f0-9]{32}_[a-f0-9]{8}"),
    token("svix-key", r"(?:testsk|sk)_[A-Za-z0-9_-]{32}\.(?:eu|us|in|ca)"),
    token("ubidots-key", r"BB(?:FF|US)-[A-Za-z0-9]{30}"),
    token("adafruit-key", r"aio_[A-Za-z0-9]{28}"),
    token("riot-key", rf"RGAPI-{UUID}"),
    token("thunderstore-token", r"tss_[A-Za-z0-9]{38}"),
    token("maxmind-key", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    token("locationiq-key", r"pk\.[a-f0-9]{32}"),
    token("close-key", r"api_[A-Za-z0-9]{20,24}\.[A-Za-z0-9]{20,24}"),
    token("builder-key", r"bpk-[a-f0-9]{32}"),
    token("calendar-key", r"cal_(?:live_|test_)?[a-f0-9]{32}"),
    token("workato-key", r"wrk(?:us|eu|jp|sg|aus|il)?-[A-Za-z0-9_-]{40,200}", valid=entropy.mixed),
    token("lichess-token", r"li[po]_[A-Za-z0-9]{20,40}", valid=entropy.mixed),
    token("keygen-token", r"(?:prod|activ|admin|env|user)-[a-f0-9]{64}v[23]"),
    token("game-server-key", r"cfxk_[A-Za-z0-9]{20}_[A-Za-z0-9]{5}"),
    # Microsoft's alphabet of product keys has no vowels, and no letters that look like digits.
    token("product-key", r"[BCDFGHJKMNPQRTVWXY2346789]{5}(?:-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}", anchor=r"[B-Y2-9]{5}-[B-Y2-9]{5}-[B-Y2-9]{5}-"),
    after("license-key", r"(?i:licen[sc]e|activation|product|serial|registration)(?:[ _-]?(?i:key|code|number|no))?[\"']?[ \t]{0,2}[=:#>][ \t]{0,2}[\"']?", r"[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,7}", kind="product-key", valid=entropy.random),
)  # fmt: skip

BUSINESS: tuple[Detector, ...] = (*_PAYMENTS, *_OFFICE)
