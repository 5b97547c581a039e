"""Prefixed: tokens of providers that no list knows, by what they say of themselves.

Since GitHub described theirs in 2021 ("Behind GitHub's new authentication token formats"), most providers issue tokens in one form: whose it is,
what it is (`live`, `pat`, `secret`), and random letters and digits. Ids have it, too (`cus_…`, `call_…`), so a token is one that says so, or that
is longer than ids are and in the alphabet that they seldom have.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.token import END, START, UUID

# As for other tokens, but that the whole of it is looked at: `cache-key-…` is none, whatever `key-…` is.
_START = r"(?:\\[nrt]|%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|[^A-Za-z0-9_-])"
_CREDENTIAL = (
    r"(?:sk|rk|pat|ptk|tkn|tok|tkt|key|apikey|secret|token|live|prod|production|staging|sandbox|api|svc|sec|privkey)"
)
_IS = re.compile(_CREDENTIAL)
_IS_FIRST = re.compile(rf"(?<![A-Za-z0-9]){_CREDENTIAL}[_-]")
# Names of these kinds are also given to images of containers, with a commit behind them.
_STAGES = frozenset("prod production staging sandbox api svc sec".split())
# What an id or a digest begins with, or a key that is meant to be seen.
_OTHERS = frozenset(
    "id ids pk pub public publishable anon chatcmpl cmpl call toolu msg message req request resp run step asst thread file batch user usr org evt event cus ch pi "
    "price prod sub cs seti src card acct cache trace span session sess hash sha sha1 sha256 sha384 sha512 md5 commit rev etag nonce chunk css img image svg "
    "func fc rs item node obj ref tag ver build layer blob tree digest fingerprint foo bar my some your example dummy fake demo mock sample".split()
)
# A token of theirs is what their own rules describe; what only begins like one is cut short, or made up.
_KNOWN = re.compile(
    r"(?:sk[-_]ant|sk-(?:proj|or|svcacct)|gh[pousr]|github_pat|gl[a-z]{2,4}|npm|sgp|ops|bedrock|hf|shp[a-z]{2}|rubygems|pul|sbp|dp)[-_]"
)
_HEX = re.compile(r"[a-f0-9]+$")
_UUID_ENDS = re.compile(rf"{UUID}$")
_WORDS = re.compile(r"[A-Za-z0-9]+")


def _says_so(text: str) -> bool:
    """`acme_live_…`, `sk-acme-…`: behind the word for a credential, random text that is no commit and no name of a machine."""
    words = _WORDS.findall(text)
    if (
        _KNOWN.match(text)
        or not _OTHERS.isdisjoint(word for word in words[:-1] if word not in _STAGES)
        or not entropy.issued(text)
    ):
        return False
    body = words[-1]
    if _HEX.match(body):
        return (len(body) >= 24 or bool(_UUID_ENDS.search(text))) and any(
            word not in _STAGES for word in words[:-1] if _IS.fullmatch(word)
        )
    if len(body) < 20:  # base64url
        body = _IS_FIRST.split(text, maxsplit=1)[-1]
        if any(len(word) > 3 and word.isalpha() and word[1:].islower() for word in _WORDS.findall(body)):
            return False  # `prod-api-execution-role-…`
        return entropy.classes(body.replace("-", "").replace("_", "")) == 3 and entropy.mixed(body)
    return entropy.digits(body) >= 3 and entropy.mixed(body)


def _long(text: str) -> bool:
    """Longer than ids are, of both cases and digits."""
    prefix, _, body = text.rpartition("_")
    if _KNOWN.match(text) or not _OTHERS.isdisjoint(prefix.lower().split("_")):
        return False
    return (
        entropy.classes(body) == 3
        and entropy.digits(body) >= 3
        and entropy.entropy(body) >= 4.0
        and entropy.mixed(body)
    )


# What tokens of one provider begin with and nothing else does, where no list says which of their lengths and alphabets are issued next.
_PROVIDERS = (
    r"AKCp AIK_(?:CI|CLIENT|SECRET)_ AGE-SECRET-KEY- ATATT3 ATCTT3 ATBB AVNS_ AstraCS: BBDC- CCIPAT_ CCIPRJ_ "
    r"CLOJARS_ CFPAT- EXO[a-f0-9]{6} FLWSECK(?:_TEST)?- FLWPUBK(?:_TEST)?- GOCSPX- GR1348941 HRKU- IGQVJ LTAI "
    r"NR(?:AK|AA|BR|II|IQ|JS|RA|SP)- PMA[KT]- RGAPI- SWM(?:TKN|KEY)-1- amzn\.mws\. "
    r"api_(?:live|sandbox)(?:_(?:eu|us|ca))?\. access_token\$(?:production|sandbox)\$ bk(?:ua|at|ct|pt|ps)_ csa_ "
    r"dapi[a-f0-9]{6} dckr_(?:pat|oat)_ ddp_ dnkey- do[opr]_v1_ dp\.(?:pt|st|ct|sa|scim|audit)\. dt0[a-z][0-9]{2}\. "
    r"duffel_(?:test|live)_ dvc_(?:server|client|mobile)_ endr\+ essu_ eyJrIjoi fio-u- figd_ fo1_ fm[12]_ gcntfy- "
    r"glagent- glc_ glsa_ glptt- gloas- gsk_ hawk\. hc[abx]ik_ hv[bsr]\. k[1-4]\.(?:local|secret|public)(?:-pw)?\. "
    r"lin_(?:api|oauth|wh)_ live_pub_ llx- lsv2_(?:pt|sk)_ mdb_sa_sk_ mercury_(?:production|sandbox)_ mlsn\. napi_ "
    r"nfp_ npg_ ntn_ nvapi- nyk_v0_ oauth_live_ ops_eyJ ory_(?:pat|apikey|st|at|rt)_ ovsxp_ packagist_[a-z]{2,3}_ "
    r"pcsk_ persona_(?:production|sandbox)_ ph[cxsar]_ pina_ polar_(?:pat|oat|at|rt)_ pplx- prf_[a-z]{3}_ "
    r"pscale_(?:tkn|oauth|pw|app)_ ptrn_ pul- pylf_v[0-9]_ pypi-AgE rdme_ rnd_ rubygems_ r8_ sbp_ sb_secret_ "
    r"scauth_ sgamp_user_ shippo_(?:live|test)_ shp(?:at|ca|pa|ss|ua|tka|it)_ sk-or-v[0-9] sktsec_ slk_ "
    r"sm_(?:aat|pat|sat)_ sntry[suai]_ sq0[a-z]{3}- sq[apu]_ squ_ st\.[a-f0-9]{8} standard_ supabase_ tfp_ tgp_v1_ "
    r"tk-us- tmprl_ tskey-(?:[a-z]{3,8}-)? tvly- tss_ ucat_ unkey_ v[1-4]\.(?:local|public)\. vc[apirk]_ vtwn_ "
    r"waka_ whsec_ wrk[a-z]{1,3}- xa[ap]t- xai- xapp- xau_ xkeysib- xnd_(?:production|development)_ "
    r"xox[a-z]{1,2}[-.] xsmtpsib- xtp_ ya29\. zpka_ github_pat_ gh[pousr]_ npm_ hf_ SG\. 3MVG "
    r"00D[A-Za-z0-9]{12,15}! A3-[A-Z0-9]{6}- secret-(?:live|test)- sk-proj- TlRMTVNTUAA "
    r"1000\.[a-f0-9]{32}\. 1PRK- APP_USR- BB(?:FF|US)- KEY[0-9A-F]{32}_ NF- (?:PRD|SBX)-[a-f0-9]{8,12}-[a-f0-9]{4}- "
    r"(?:PRODUCTION|STAGE)_[a-f0-9]{40} VF\.(?:DM|WS)\. \$aact_(?:prod|hmlg)_ aks_ b10ck5\. bb_(?:live|test)_ bu_ "
    r"cf(?:k|ut|at|xk)_ cog_ cr-[a-f0-9]{40} csk- dub_ gs_appsweep_ hxt[pw]_ isat_ lip_ m0- mfa\. mik_ "
    r"mint_dsc_ nrt_ p8e- pat\.[A-Za-z0-9_-]{22}\. pinr_ ptr_ pts_ rpa_ s-s4t2ud- salad_cloud_user_ sct_ seam_ "
    r"signkey-(?:prod|test|branch)- tgpa[kt]_ tmc1[0-9A-Za-z]{18} tsec_ v1\.0-[a-f0-9]{24}- vk1\.a\. "
).split()
_BATCH = 40  # the automaton refuses twice as many in one pattern

# Drawn at random, such a run is one in many thousands.
_COUNTING = re.compile(
    "|".join(string.ascii_lowercase[at : at + 6] for at in range(21))
    + "|"
    + "|".join(string.digits[at : at + 6] for at in range(5))
)


def _begins(text: str) -> bool:
    """A provider's prefix, and what is drawn at random behind it."""
    body = re.split(r"[-_.~$:+]", text, maxsplit=1)[-1]
    words = _WORDS.findall(body)
    if not body.isupper() and not any(len(word) >= 9 and entropy.digits(word) and not word.isdigit() for word in words):
        return False  # `sct_scan_20240131_patient_361`
    drawn = entropy.mixed(body) if entropy.digits(body) >= 3 else len(body) >= 20 and entropy.key(body)
    return drawn and entropy.issued(text) and entropy.entropy(body) >= 3.3 and not _COUNTING.search(text.lower())


def _of(providers: Sequence[str], number: int) -> Detector:
    prefix = f"(?:{'|'.join(providers)})"
    return Detector(
        id=f"provider-token-{number}",
        kind="secret.prefixed-token",
        pattern=rf"{START}({prefix}[A-Za-z0-9_.=/+~$!:-]{{13,47}}[A-Za-z0-9_=/+~$-])",
        accept=when(_begins),
        tail=r"(?:[.!:]{0,2}[A-Za-z0-9_=/+~$-]+)*",  # what ends a sentence is no part of it
        anchor=rf"{prefix}[A-Za-z0-9_.=/+~$!:-]{{2}}",
    )


PREFIXED: tuple[Detector, ...] = (
    *(_of(_PROVIDERS[at : at + _BATCH], at // _BATCH + 1) for at in range(0, len(_PROVIDERS), _BATCH)),
    Detector(
        id="prefixed-token",
        kind="secret.prefixed-token",
        pattern=rf"{_START}((?:[A-Za-z0-9]{{2,16}}[_-]){{0,2}}{_CREDENTIAL}[_-](?:{UUID}|[A-Za-z0-9_-]{{20,140}})){END}",
        accept=when(_says_so),
        anchor=rf"{_CREDENTIAL}[_-][A-Za-z0-9_-]{{20}}",
    ),
    Detector(
        id="prefixed-long-token",
        kind="secret.prefixed-token",
        pattern=rf"{_START}((?:[a-z][a-z0-9]{{1,11}}|[A-Z][A-Z0-9]{{1,11}})(?:_[A-Za-z0-9]{{1,12}}){{0,2}}_[A-Za-z0-9]{{32,120}}){END}",
        accept=when(_long),
        anchor=r"[A-Za-z0-9]_[A-Za-z0-9]{32}",
    ),
)
