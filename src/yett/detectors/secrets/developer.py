"""Developer: forges, package registries, build and test services, feature flags, observability.

Sources: each provider's own documentation of its tokens (GitHub "Authenticating", GitLab "Token prefixes", npm "About access
tokens", crates.io, RubyGems, Docker, Grafana, Sentry, New Relic, …); GitHub's list of supported secret scanning patterns.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector
from yett.detectors.secrets.token import ALNUM, BASE64URL, UUID, after, token

_FORGES: tuple[Detector, ...] = (
    token("yett-key", r"ytk_[A-Za-z0-9_]{24}", r"[A-Za-z0-9_]*"),
    token("github-token", r"gh[pousr]_[A-Za-z0-9]{36}", ALNUM),
    token("github-fine-grained", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", kind="github-token"),
    token("gitlab-token", r"gl(?:pat|dt|rt|rtr|cbt|ft|soat|imt|ffct|wt)-[A-Za-z0-9_-]{20}", r"[A-Za-z0-9_.-]*"),
    token("gitlab-runner-token", r"GR1348941[A-Za-z0-9_-]{20,50}", kind="gitlab-token"),
    token("gitlab-agent-token", r"glagent-[A-Za-z0-9_-]{50}", BASE64URL, kind="gitlab-token"),
    token("gitlab-long-token", r"(?:glptt-[A-Za-z0-9_-]{40}|gloas-[A-Za-z0-9_-]{64})", kind="gitlab-token"),
    token("bitbucket-app-password", r"ATBB[A-Za-z0-9]{24}[A-F0-9]{8}"),
    token("bitbucket-token", r"(?:BBDC-[A-Za-z0-9+/]{40}|ATCTT3xFfG[A-Za-z0-9_-]{100})", r"[A-Za-z0-9_+/=-]*"),
    token("atlassian-token", r"ATATT3[A-Za-z0-9_=-]{100}", r"[A-Za-z0-9_=-]*"),
    token("atlassian-oauth", r"ATOA[A-Za-z0-9_-]{60}", BASE64URL, kind="atlassian-token"),
    token("sourcegraph-token", r"(?:sgp_(?:[A-Fa-f0-9]{16}_|local_)?[A-Fa-f0-9]{40}|slk_[a-f0-9]{64}|sgd_[a-f0-9]{64}|sgamp_user_[A-Z0-9]{26}_[a-f0-9]{64})"),
    token("gitpod-token", r"gitpod_pat_[A-Za-z0-9_.-]{40,80}"),
)  # fmt: skip

_REGISTRIES: tuple[Detector, ...] = (
    token("npm-token", r"npm_[A-Za-z0-9]{36}"),
    after("npm-auth-token", r"_auth[Tt]oken[ \t]{0,2}=[ \t]{0,2}[\"']?", UUID, kind="npm-token"),
    token("pypi-token", r"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{32}", BASE64URL),
    after("bundler-credential", r"BUNDLE_[A-Z_]{3,60}__(?:COM|IO|ORG|NET|DEV)[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?", r"[A-Za-z0-9_.-]{3,60}:[A-Za-z0-9_.-]{4,80}", valid=entropy.filled),
    token("rubygems-key", r"rubygems_[a-f0-9]{48}"),
    token("crates-token", r"cio[A-Za-z0-9]{32}", valid=entropy.mixed),
    token("nuget-key", r"oy2[a-z0-9]{43}"),
    token("clojars-token", r"CLOJARS_[a-f0-9]{60}"),
    token("packagist-token", r"packagist_[a-z]{2,3}_[a-f0-9]{60,72}"),
    token("docker-token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}"),
    token("docker-swarm-token", r"SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}"),
    token("docker-swarm-key", r"SWMKEY-1-[A-Za-z0-9+/]{43}"),
    token("artifactory-key", r"AKCp[A-Za-z0-9]{69}"),
    token("artifactory-reference-token", r"cmVmd[A-Za-z0-9]{59}"),
)  # fmt: skip

_BUILD: tuple[Detector, ...] = (
    token("circleci-token", r"CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,24}_[a-f0-9]{40}"),
    token("buildkite-token", r"bk(?:ua|at|ct|pt)_[a-f0-9]{40}"),
    token("harness-token", r"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}"),
    token("appveyor-token", r"v2\.[a-z0-9]{20}", valid=entropy.random),
    token("prefect-key", r"pn[ub]_[A-Za-z0-9]{36}"),
    token("databricks-token", r"d(?:api|ose)[a-f0-9]{32}(?:-[0-9])?"),
    token("sonar-token", r"sq[upa]_[A-Za-z0-9]{40}"),
    token("snyk-token", r"snyk_(?:uat|sat)\.[a-f0-9]{8}\.[A-Za-z0-9_.-]{40}", r"[A-Za-z0-9_.-]*"),
    token("semgrep-token", r"sgp_[a-f0-9]{64}"),
    token("endorlabs-key", r"endr\+[A-Za-z0-9-]{16}"),
    token("socket-token", r"sktsec_[A-Za-z0-9_-]{40,52}"),
    after("infracost-key", r"[^A-Za-z0-9.]", r"ico-[A-Za-z0-9]{32}"),
    token("postman-key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    token("postman-collection-key", r"PMAT-[A-Z0-9]{26}", kind="postman-key"),
    token("readme-key", r"rdme_[a-z0-9]{70}"),
    token("rapidapi-key", r"[A-Za-z0-9]{10}msh[A-Za-z0-9]{15}p1[A-Za-z0-9]{6}jsn[A-Za-z0-9]{12}"),
    token("octopus-key", r"API-[A-Z0-9]{25,27}", valid=entropy.random),
    token("launchdarkly-key", rf"(?:api|sdk|mob|rel)-{UUID}"),
    token("configcat-key", r"configcat-(?:proxy|sdk-1)/[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}"),
    token("posthog-key", r"ph[cxsar]_[A-Za-z0-9]{43}"),
    token("devcycle-key", r"dvc_(?:server|client|mobile)_[A-Za-z0-9]{18,24}_[A-Za-z0-9]{6,10}"),
    token("growthbook-key", r"secret_(?:admin|readonly|user)_[A-Za-z0-9]{32,44}"),
    token("flagsmith-key", r"ser\.[A-Za-z0-9]{22}", valid=entropy.random),
    token("lokalise-token", r"tok_[a-z0-9]{40}"),
    token("checkly-key", r"cu_[a-f0-9]{32}"),
    token("depot-token", r"depot_(?:org|project|user)_[a-f0-9]{60,72}"),
    token("trigger-key", r"tr_(?:dev|prod|stg|pat)_[A-Za-z0-9]{20,44}"),
    token("inngest-key", r"signkey-(?:prod|test|branch)-[a-f0-9]{32,64}"),
    token("deno-token", r"dd[pw]_[A-Za-z0-9]{36}"),
    token("unkey-key", r"unkey_[A-Za-z0-9]{20,32}"),
    token("statsig-key", r"secret-[A-Za-z0-9]{40,44}"),
    token("temporal-key", r"tmprl_[A-Za-z0-9]{40}", ALNUM),
    token("arcjet-key", r"ajkey_[a-z0-9]{26}"),
    token("block-protocol-key", rf"b10ck5\.[a-f0-9]{{32}}\.{UUID}"),
    token("open-vsx-token", rf"ovsx(?:a?t|p)_{UUID}"),
    token("wakatime-key", rf"waka_{UUID}"),
    token("wundergraph-key", r"cosmo_[a-f0-9]{32}"),
    token("stackhawk-key", r"hawk\.[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20}"),
    after("dotenv-key", r"dotenv://:", r"key_[a-f0-9]{64}", end=r"@"),
    after("gitlab-session", r"_gitlab_session=", r"[a-f0-9]{32}", kind="session-cookie"),
)  # fmt: skip

_OBSERVABILITY: tuple[Detector, ...] = (
    token("sentry-org-token", r"sntrys_eyJ[A-Za-z0-9+/=_]{60}", r"[A-Za-z0-9+/=_]*", kind="sentry-token"),
    token("sentry-user-token", r"sntry[uai]_[a-f0-9]{64}", kind="sentry-token"),
    after("sentry-dsn", r"https://", r"[a-f0-9]{32}(?::[a-f0-9]{32})?", end=r"@[A-Za-z0-9.-]"),
    token("newrelic-key", r"NR(?:AK-[A-Z0-9]{27}|AA-[a-f0-9]{27}|RA-[a-f0-9]{42}|II-[A-Za-z0-9_-]{32}|IQ-[A-Za-z0-9_-]{32}|BR-[a-f0-9]{24}|SP-[a-z]{2}[0-9]{2}[a-f0-9]{31}|JS-[a-f0-9]{19})"),
    token("newrelic-license", r"(?:eu[0-9]{2}xx)?[a-f0-9]{30,36}(?:FFFF)?NRAL", kind="newrelic-key"),
    token("dynatrace-token", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}"),
    token("grafana-cloud-token", r"glc_[A-Za-z0-9+/]{32}", r"[A-Za-z0-9+/=]*", kind="grafana-token"),
    token("grafana-service-account", r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}", kind="grafana-token"),
    token("grafana-legacy-key", r"eyJrIjoi[A-Za-z0-9]{60}", r"[A-Za-z0-9=]*", kind="grafana-token"),
    token("honeycomb-key", r"hc[abx][a-z0-9]{2}_[a-z0-9]{58}"),
    token("honeybadger-token", r"hb[a-z]_[A-Za-z0-9]{36,40}"),
    token("elastic-key", r"essu_[A-Za-z0-9+/=]{40,120}"),
    token("axiom-token", rf"xa[ap]t-{UUID}"),
    token("logfire-token", r"pylf_v[0-9]_[a-z]{2,12}_[A-Za-z0-9]{40,60}"),
)  # fmt: skip

DEVELOPER: tuple[Detector, ...] = (*_FORGES, *_REGISTRIES, *_BUILD, *_OBSERVABILITY)
