"""What `yett doctor` says of those who vouch for callers: whether their keys can be had and would do, and how long their certificates last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from cryptography import x509

from yett.cli.system import SystemClock
from yett.config import identity
from yett.config.compile import proxy_of
from yett.config.reading import Reading
from yett.edge.issuers import Issuers, UnusableError
from yett.edge.upstream import UpstreamClient
from yett.identity.issuer import Issuer
from yett.identity.jws import KeySet, usable

Line = tuple[str, str, str, str]  # check, status, message, what to do
_RENEWAL = 30 * 86_400.0  # seconds before its end when an authority should have been renewed


def identities(reading: Reading, *, network: bool) -> Iterator[Line]:
    """Of a configuration without mistakes; those that have to be fetched with `network` only."""
    receivers = reading.settings.receivers
    named = [(_called(issuer), issuer) for issuer in identity.issuers(reading) if issuer.credential != "task"]
    named += [(f"receiver {name}", identity.transmitter(name, one, reading)) for name, one in receivers.items()]
    asked = [(name, issuer) for name, issuer in named if network or issuer.source.provider is None]
    if asked:
        yield from asyncio.run(_keys(asked, reading))
    for authority in identity.authorities(reading, []).values():
        sort, _, name = authority.url.partition(":")
        yield _authority(f"{'trust domain' if sort == 'x509' else 'client authority'} {name}", authority.anchors)
    for proxy in identity.proxies(reading.settings).values():
        spoken = ", ".join(sorted(url.partition(":")[2] for url in proxy.authorities))
        yield (
            f"proxy {proxy.name}",
            "ok",
            f"known as {proxy.id}; passes on certificates of {spoken} in {proxy.header}",
            "",
        )


def _called(issuer: Issuer) -> str:
    return f"trust domain {issuer.name} (tokens)" if issuer.credential == "svid" else f"issuer {issuer.name}"


async def _keys(asked: Iterable[tuple[str, Issuer]], reading: Reading) -> list[Line]:
    upstream = UpstreamClient(proxy=proxy_of(reading))
    try:
        issuers = Issuers(upstream, SystemClock(), lambda *_: None)
        return list(await asyncio.gather(*(_asked(name, issuer, issuers) for name, issuer in asked)))
    finally:
        await upstream.close()


async def _asked(name: str, issuer: Issuer, issuers: Issuers) -> Line:
    where = issuer.source.file or issuer.source.url
    try:
        keys = await issuers.look(issuer)
    except UnusableError as error:
        return name, "failure", f"{where}: {error}", _advice(issuer)
    return _fitting(name, issuer, keys)


def _advice(issuer: Issuer) -> str:
    if issuer.source.file:
        return "write the JWK set of the issuer there"
    if issuer.source.discovery:
        return "check the issuer's address, DNS, the firewall and ca_file, or give jwks_url"
    return "check the address of its keys, DNS, the firewall and ca_file"


def _fitting(name: str, issuer: Issuer, keys: KeySet) -> Line:
    fitting = [key for key in keys if usable(key, issuer.algorithms)]
    if not fitting:
        found = ", ".join(sorted({key.alg or key.curve for key in keys}))
        wanted = ", ".join(sorted(issuer.algorithms))
        return name, "failure", f"no key for {wanted}, only {found}", "set algorithms to those that it signs with"
    return name, "ok", f"{len(fitting)} of {len(keys)} keys can be used", ""


def _authority(name: str, anchors: Iterable[x509.Certificate]) -> Line:
    now = SystemClock().now()
    listed = sorted(anchors, key=lambda anchor: anchor.not_valid_after_utc)
    first, last = listed[0], listed[-1]
    ends = last.not_valid_after_utc
    left = ends.timestamp() - now
    soon = min(_RENEWAL, (ends - last.not_valid_before_utc).total_seconds() / 5)  # those of a mesh may last for a day
    advice = "renew the file: a running gateway takes it up by itself"
    if left <= 0:
        return name, "failure", f"all of its authorities have expired, the last on {_when(last)}", advice
    if left < soon:  # when another one is to follow, it is there by now
        return name, "warning", f"the last of its authorities ends on {_when(last)}", advice
    if first.not_valid_after_utc.timestamp() <= now:
        return name, "warning", f"one of its authorities expired on {_when(first)}", advice
    return name, "ok", f"{len(listed)} authorities, good until {_when(last)}", ""


def _when(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
