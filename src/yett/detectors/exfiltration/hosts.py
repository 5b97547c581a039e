"""Hosts: which ones may be sent anything, which ones only serve what anybody can see, which ones collect what they are sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Public services that render or show what the address says and keep it to themselves. An address there is weighed mildly:
# badges, formulas, charts, avatars, videos and shared links are full of text and of random names. Services whose owner of a
# page can read what visitors send (forms, scripts, sheets, storage that anybody may rent) are not among them.
WELL_KNOWN = frozenset(
    """
    shields.io badgen.net badge.fury.io badges.gitter.im codecov.io coveralls.io travis-ci.org travis-ci.com circleci.com
    appveyor.com codacy.com sonarcloud.io snyk.io deepsource.io bestpractices.dev opencollective.com pepy.tech zenodo.org
    github.com githubusercontent.com githubassets.com github.io gitlab.com bitbucket.org pypi.org pythonhosted.org python.org
    npmjs.com npmjs.org jsdelivr.net unpkg.com cdnjs.cloudflare.com crates.io docs.rs rust-lang.org golang.org go.dev
    readthedocs.io readthedocs.org rtfd.io debian.org ubuntu.com kernel.org mozilla.org w3.org ietf.org rfc-editor.org
    wikipedia.org wikimedia.org wikidata.org archive.org arxiv.org doi.org stackoverflow.com stackexchange.com
    latex.codecogs.com chart.googleapis.com quickchart.io mermaid.ink kroki.io plantuml.com mermaid.live placehold.co
    via.placeholder.com dummyimage.com picsum.photos images.unsplash.com unsplash.com gravatar.com lh3.googleusercontent.com
    youtube.com youtu.be ytimg.com vimeo.com imgur.com twimg.com gstatic.com fonts.googleapis.com maps.google.com
    www.google.com google.com bing.com duckduckgo.com amazon.com twitter.com x.com linkedin.com facebook.com reddit.com
    learn.microsoft.com docs.microsoft.com developer.apple.com docs.aws.amazon.com cloud.google.com colab.research.google.com
    """.split()
)
# Services made to show their user every request that reaches an address of his: the usual end of an exfiltration.
COLLECTORS = (
    "webhook.site", "requestbin.com", "requestbin.net", "pipedream.net", "requestcatcher.com", "beeceptor.com", "hookbin.com",
    "hookb.in", "webhook.cool", "postb.in", "mockbin.io", "ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok-free.dev",
    "loca.lt", "localhost.run", "serveo.net", "trycloudflare.com", "burpcollaborator.net", "oastify.com", "interact.sh",
    "oast.fun", "oast.pro", "oast.live", "oast.site", "oast.online", "oast.me", "canarytokens.com", "dnslog.cn", "ceye.io",
    "dnsbin.zhack.ca", "requestrepo.com", "xss.ht", "bxss.me", "ezstat.ru", "iplogger.org", "iplogger.com", "grabify.link",
    "typedwebhook.tools", "webhookinbox.com", "rbndr.us", "exfil.me",
)  # fmt: skip
# The same on hosts that serve much else: the beginning of the path says so.
COLLECTING_PATHS = (
    "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "api.telegram.org/bot", "script.google.com/macros/",
    "docs.google.com/forms/",
)  # fmt: skip
_COLLECTORS = frozenset(COLLECTORS)
_MAY_COLLECT = _COLLECTORS.union(each.partition("/")[0] for each in COLLECTING_PATHS)
_NAMED_AFTER_IT = re.compile(
    r"(?:^|[.-])(?:evil|attacker|attack|malicious|exfil\w*|hacker|adversary|c2|stealer?)(?:[.-]|\d)"
)
_IGNORED = re.compile(
    "[\u00ad\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]"
)  # what a host may contain and does not consist of
_STOPS = str.maketrans("\u3002\uff0e\uff61", "...")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f:]*:[0-9a-f:]+\]?|0x[0-9a-f]+|\d{8,10}")


def within(host: str, suffixes: frozenset[str]) -> bool:
    """Whether `host`, in lower case, is one of `suffixes` or a name below one."""
    if not suffixes:
        return False
    while host:
        if host in suffixes:
            return True
        host = host.partition(".")[2]
    return False


def suffixes(names: Iterable[str]) -> frozenset[str]:
    """Names as an operator writes them (`example.com`, `.example.com`, `*.example.com`): each covers itself and all below it."""
    return frozenset(canonical(name.lower().removeprefix("*").strip(".")) for name in names)


def canonical(host: str) -> str:
    """A host as it is looked up: labels of other scripts in Punycode (UTS #46). Empty when no host is written like that."""
    if host.isascii():
        return host.lower()
    host = _IGNORED.sub("", host).translate(_STOPS)
    if any(unicodedata.category(character)[0] not in "LMN" for character in host if not character.isascii()):
        return ""
    labels = unicodedata.normalize("NFKC", host).lower().split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def well_known(host: str) -> bool:
    """Whether the host shows to everybody alike what its addresses say."""
    return within(host, WELL_KNOWN)


def collects(host: str, path: str) -> bool:
    """Whether requests to this place are there to be read by whoever set it up."""
    return within(host, _COLLECTORS) or f"{host}/{path}".startswith(COLLECTING_PATHS)


def may_collect(host: str) -> bool:
    """The same of a host, whatever the path."""
    return within(host, _MAY_COLLECT)


def named_for_it(host: str) -> bool:
    """A name that says what it is for."""
    return bool(_NAMED_AFTER_IT.search(host))


def suspect(host: str) -> bool:
    """A bare address, or a name that says what it is for."""
    return bool(_ADDRESS.fullmatch(host)) or named_for_it(host)
