"""AI: keys of model providers, of the tools around models, and of search and crawling services that agents call.

Sources: each provider's own API reference and key page; GitHub's list of supported secret scanning patterns.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector
from yett.detectors.secrets.token import ALNUM, BASE64URL, UUID, after, token

AI: tuple[Detector, ...] = (
    token("anthropic-key", r"sk-ant-(?:api|admin)[0-9]{2}-[A-Za-z0-9_-]{80,120}AA"),
    token("anthropic-token", r"sk-ant-(?:oat|ort|sid|usr)[0-9]{2}-[A-Za-z0-9_-]{40}", BASE64URL, kind="anthropic-key"),
    token("openrouter-key", r"sk-or-v1-[0-9a-f]{64}"),
    token("helicone-key", r"(?:sk|pk)-helicone-[a-z0-9-]{20,50}"),
    token("langfuse-key", rf"sk-lf-{UUID}"),
    token("openai-project-key", r"sk-(?:proj|svcacct|service|admin|None)-[A-Za-z0-9_-]{20}", BASE64URL, kind="openai-key"),
    token("openai-key-marked", r"sk-[A-Za-z0-9_-]{16,160}T3BlbkFJ[A-Za-z0-9_-]{16}", BASE64URL, kind="openai-key"),
    after("openai-key", r"(?:[^A-Za-z0-9_-]|\\[nrt]|%[0-9A-F]{2})", r"sk-[A-Za-z0-9]{32}", tail=ALNUM),
    token("openai-session", r"sess-[A-Za-z0-9]{40}"),
    token("huggingface-token", r"(?:hf_|api_org_)[A-Za-z0-9]{34}", valid=entropy.varied),  # issued ones are of letters alone
    token("groq-key", r"gsk_[A-Za-z0-9]{52}"),
    token("xai-key", r"xai-[A-Za-z0-9]{80}"),
    token("perplexity-key", r"pplx-[A-Za-z0-9]{48}"),
    token("replicate-token", r"r8_[A-Za-z0-9]{37}"),
    token("nvidia-key", r"nvapi-[A-Za-z0-9_-]{60,70}"),
    token("deepl-key", rf"{UUID}:fx", anchor=r"-[0-9a-fA-F]{12}:fx"),
    token("cerebras-key", r"csk-[a-z0-9]{48}"),
    token("fireworks-key", r"fw_[A-Za-z0-9]{24}"),
    token("together-key", r"tgp_v1_[A-Za-z0-9_-]{43}"),
    token("elevenlabs-key", r"sk_[a-f0-9]{48}"),
    token("cartesia-key", r"sk_car_[A-Za-z0-9_-]{20,24}"),
    token("voyage-key", r"pa-[A-Za-z0-9_-]{43}"),
    token("jina-key", r"jina_[a-f0-9]{32}[A-Za-z0-9_-]{28}"),
    token("pinecone-key", r"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{60,64}"),
    token("langsmith-key", r"(?:lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}|ls__[a-f0-9]{32})"),
    token("wandb-key", r"wandb_v1_[A-Za-z0-9_]{40}", r"[A-Za-z0-9_]*"),
    token("tavily-key", r"tvly-(?:dev-|prod-)?[A-Za-z0-9-]{26,40}"),
    token("firecrawl-key", r"fc-[a-f0-9]{32}"),
    token("brave-search-key", r"BSA[A-Za-z0-9_-]{28}", valid=entropy.random),
    token("sandbox-key", r"e2b_[a-f0-9]{40}"),
    token("cursor-key", r"(?:key|crsr)_[a-f0-9]{64}"),
    token("anyscale-key", r"esecret_[a-z0-9]{26}"),
    token("modal-token", r"a[ks]-[A-Za-z0-9]{22}"),
    token("runpod-key", r"rpa_[A-Z0-9]{36}", ALNUM),
    token("llamacloud-key", r"llx-[A-Za-z0-9]{48}"),
    token("friendli-token", r"flp_[A-Za-z0-9]{46}"),
    token("upstage-key", r"up_[A-Za-z0-9]{29}"),
    token("featherless-key", r"rc_[a-f0-9]{64}"),
    token("memory-key", r"m0-[A-Za-z0-9]{40}"),
    token("dify-key", r"(?:app|dataset)-[A-Za-z0-9]{24}", valid=entropy.mixed),
    token("apify-token", r"apify_[a-z_]{2,24}_[A-Za-z0-9]{32,40}"),
    token("browserbase-key", r"bb_live_[A-Za-z0-9_-]{27}"),
    token("retell-key", r"key_[a-f0-9]{28}"),
    token("promptlayer-key", r"pl_[a-f0-9]{32}"),
    token("litellm-key", r"sk-litellm-[A-Za-z0-9_-]{20,60}"),
    token("braintrust-key", r"sk-bt-[A-Za-z0-9_-]{20,60}|bt-st-[A-Za-z0-9_-]{40,60}"),
    token("sandbox-daytona-key", r"dtn_[a-f0-9]{64}", kind="sandbox-key"),
    token("coze-token", r"pat_[A-Za-z0-9]{64}"),
    token("baidu-key", r"bce-v3/ALTAK-[A-Za-z0-9]{21}/[a-f0-9]{40}"),
    token("lambda-key", r"secret_[a-z0-9-]{2,30}_[a-f0-9]{32}\.[A-Za-z0-9]{32}"),
    token("context-key", r"ctx7sk-[a-f0-9-]{36}"),
    token("llama-key", r"LLM\|[0-9]{10,20}\|[A-Za-z0-9_-]{20,40}"),
    token("devin-key", r"(?:apk_(?:user_)?[A-Za-z0-9+/=]{60,120}|cog_[a-z0-9]{52})"),
    token("arize-key", rf"ak-{UUID}-[A-Za-z0-9_-]{{20,40}}"),
    token("steel-key", r"ste-[A-Za-z0-9]{40,80}"),
    token("hyperbrowser-key", r"hb_[a-f0-9]{28}"),
    token("letta-key", r"sk-let-[A-Za-z0-9+/]{60,120}={0,2}"),
    token("siliconflow-key", r"sk-[a-z]{48}", valid=entropy.varied),
)  # fmt: skip
