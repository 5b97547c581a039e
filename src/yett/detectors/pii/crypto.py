"""Crypto: addresses of wallets, which their check sums tell from other random words."""

from __future__ import annotations

from hashlib import sha256

from yett.detectors.detector import Detector, when
from yett.detectors.pii.words import NEAR, NUMBERS, RIGHT_EDGE, named

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_PLACES = {character: place for place, character in enumerate(_BASE58)}
_BECH32_PLACES = {character: place for place, character in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS = (1, 0x2BC830A3)  # BIP 173, BIP 350


def base58check(text: str) -> bool:
    """25 bytes, of which the last four are the beginning of a double SHA-256 of the others."""
    value = 0
    for character in text:
        value = value * 58 + _BASE58_PLACES[character]
    if value >= 1 << 200:
        return False
    data = value.to_bytes(25, "big")
    return sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:]


def bech32(text: str) -> bool:
    """BIP 173 and BIP 350: a polynomial over the human-readable part and the data."""
    lower = text.lower()
    human, _, data = lower.rpartition("1")
    values = [ord(character) >> 5 for character in human] + [0] + [ord(character) & 31 for character in human]
    check = 1
    for value in (*values, *(_BECH32_PLACES[character] for character in data)):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_BECH32_GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return check in _BECH32_CONSTANTS


def _mixed(text: str) -> bool:
    """EIP-55 writes the check sum in the case of the letters; a hash is of one case."""
    letters = "".join(filter(str.isalpha, text[2:]))
    return letters not in {letters.lower(), letters.upper()}


_LONG = r"[0-9A-Za-z]{25}"
_WALLET = "wallet|wallet address|btc|bitcoin|eth|ethereum|erc20|usdt|usdc|crypto|crypto address|ether|metamask|address|send to|sol|solana|xmr|monero|xrp|ripple|ada|cardano|trx|tron"

CRYPTO: tuple[Detector, ...] = (
    Detector(
        id="wallet-base58",
        kind="pii.crypto-wallet",
        pattern=rf"[^A-Za-z0-9/+=]([13DLMTt][1-9A-HJ-NP-Za-km-z]{{25,33}}){RIGHT_EDGE}",
        accept=when(base58check),
        besides=_LONG,
        group=NUMBERS,
    ),
    Detector(
        id="wallet-bech32",
        kind="pii.crypto-wallet",
        pattern=rf"[^A-Za-z0-9]((?:bc|ltc|tb)1[02-9ac-hj-np-z]{{11,71}}){RIGHT_EDGE}",
        accept=when(bech32),
    ),
    Detector(
        id="wallet-ethereum",
        kind="pii.crypto-wallet",
        pattern=rf"[^A-Za-z0-9](0x[0-9a-fA-F]{{40}}){RIGHT_EDGE}",
        accept=when(_mixed),
    ),
    named(
        "wallet-named",
        "pii.crypto-wallet",
        _WALLET,
        r"0x[0-9a-fA-F]{40}|r[1-9A-HJ-NP-Za-km-z]{24,34}|4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}|addr1[02-9ac-hj-np-z]{50,100}",
        gap=NEAR,
        besides=_LONG,
    ),
)
