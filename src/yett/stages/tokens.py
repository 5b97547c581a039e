"""How many tokens a call may use, before anyone has counted: bytes tell enough, without a tokenizer per model.

The rule errs upwards for natural text, so that a reservation is rarely too small: an ASCII byte counts as a third of a token
(English has 4 to 4.5 bytes to the token, code and other Latin languages 3 to 4), a byte of anything else as half of one
(a Cyrillic, Greek, Hebrew or Arabic letter is then 1 token, a Chinese character, kana or Indic or Thai sign 1.5). Digits, hex
and random strings can need up to twice as many, and no byte can need more than one; `settle` charges what was really used.

An inline image is paid by its size in pixels, not by the length of its base64, so it counts as a fixed number of tokens. That
discount is for what can only be base64: text that claims to be an image is counted as text.
"""

from __future__ import annotations

import string

IMAGE_TOKENS = 5_000  # more than any current model charges for one image
LONGEST = 6  # characters of the longest token, on the average of an answer
_IMAGE = b'"data:image/'
_BASE64 = b";base64,"
_ASCII = bytes(range(128))
_ALPHABET = (string.ascii_letters + string.digits + "+/=").encode()


def estimate_tokens(size: int) -> int:
    """Tokens in `size` bytes of UTF-8 text that is mostly ASCII, at most."""
    return size // 3 + 1


def written_tokens(received: int, characters: int, told: int) -> int:
    """Tokens that a model has written so far, at most: `received` bytes, `characters`. No more than it was `told` to write (0: nothing),
    until the text is longer than so many tokens can be."""
    most = estimate_tokens(received) if received else 0
    return max(min(most, told), characters // LONGEST) if told else most


def fewest_bytes(tokens: int, told: int) -> int:
    """Bytes that cannot amount to more than `tokens`, as `written_tokens` counts them."""
    if told:
        return tokens * LONGEST if tokens >= told else 0
    return max(tokens - 1, 0) * 3


def input_tokens(body: bytes) -> int:
    """Tokens that a request's JSON body amounts to, at most (see the rule above): everything in it counts, also its keys."""
    size, extra = len(body), 0
    if b";" in body and _IMAGE in body:  # base64 is announced with a `;`, which is found sooner when it is not there
        images, covered = _images(body)
        size -= covered
        extra = images * IMAGE_TOKENS
    if body.isascii():
        return size // 3 + 1 + extra
    wide = len(body.translate(None, _ASCII))
    return (size - wide) // 3 + wide // 2 + 1 + extra


def output_tokens(asked: int, choices: int, default: int, context: int = 0) -> int:
    """The most a call can make a model write: what was `asked` for, else the `default`, for each of its `choices` (`n`). No
    model writes more than its `context` window, when that is known (0: it is not)."""
    each = asked or default
    return min(each, context) * choices if context else each * choices


def _images(body: bytes) -> tuple[int, int]:
    """How many inline images a body has, and how many of its bytes they are."""
    number = covered = 0
    start = body.find(_IMAGE)
    while start >= 0:
        end = body.find(b'"', start + len(_IMAGE))
        if end < 0:
            break
        begin = body.find(_BASE64, start, min(start + 64, end))
        if begin >= 0 and not body[begin + len(_BASE64) : end].translate(None, _ALPHABET):
            number += 1
            covered += end - start
        start = body.find(_IMAGE, end)
    return number, covered
