"""Cuts the text of a .cedar file into its policies and finds the line of a syntax error, which the engine does not tell."""

from __future__ import annotations

import re

from cedarpy import PolicySet
from msgspec import Struct

from yett.errors import Mistake
from yett.policy.schema import KEYWORDS, suggestion

# Cedar's lexical grammar as far as it takes to find the end of a policy: a `;` in a comment or a string is not one.
_TOKEN = re.compile(
    r'(?P<skip>\s+|//[^\n]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>\w+)|(?P<sign>::|==|!=|<=|>=|&&|\|\||.)', re.DOTALL
)
_QUOTED = re.compile(r"`([^`]*)`")
_INCOMPLETE = "unexpected end of input"


class Statement(Struct, frozen=True):
    """One policy as it stands in its file, from its first annotation to its `;`. `line` is 1-based."""

    file: str
    line: int
    text: str


def split(file: str, text: str) -> tuple[list[Statement], list[Mistake]]:
    """The statements of one file. A string or policy that is not closed is a mistake."""
    statements: list[Statement] = []
    start = -1
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "skip":
            continue
        if start < 0:
            start = token.start()
        if token["sign"] == '"':
            return statements, [Mistake(file, line_of(text, token.start()), "this string is not closed")]
        if token["sign"] == ";":
            statements.append(Statement(file, line_of(text, start), text[start : token.end()]))
            start = -1
    if start < 0:
        return statements, []
    last = Statement(file, line_of(text, start), text[start:])
    found = syntax_mistake(last)
    if found is not None and _INCOMPLETE not in found.message:
        return statements, [found]
    return statements, [Mistake(file, last.line, 'this policy is not closed with ";"')]


def syntax_mistake(statement: Statement) -> Mistake | None:
    """The first syntax error of one statement, at its line, or None when the statement parses."""
    problem = _parse_error(statement.text)
    if problem is None:
        return None
    tokens = [token for token in _TOKEN.finditer(statement.text) if token.lastgroup != "skip"]
    # A correct beginning fails only for being incomplete, so the first prefix that fails otherwise ends in the culprit.
    low, high = 0, len(tokens) - 1
    while low < high:
        middle = (low + high) // 2
        reason = _parse_error(statement.text[: tokens[middle].end()])
        if reason is None or _INCOMPLETE in reason:
            low = middle + 1
        else:
            high = middle
    culprit = tokens[low]
    if _INCOMPLETE not in problem and not _names(problem, culprit.group()):
        # Grammatical but meaningless ("whn" for "when"): the engine names the word, so look for it.
        culprit = next((token for token in tokens if _names(problem, token.group())), culprit)
    word = culprit.group()
    hint = suggestion(word, KEYWORDS) if culprit.lastgroup == "word" and word not in KEYWORDS else ""
    line = statement.line + statement.text.count("\n", 0, culprit.start())
    return Mistake(statement.file, line, f"{problem}{'' if hint.startswith('; known') else hint}")


def line_of(text: str, position: int) -> int:
    """The 1-based line of a position in `text`."""
    return text.count("\n", 0, position) + 1


def line_of_word(statement: Statement, word: str) -> int:
    """The line where `word` first stands in the statement as a token of its own, or the statement's first line."""
    for token in _TOKEN.finditer(statement.text):
        if token.lastgroup != "skip" and token.group().strip('"') == word:
            return statement.line + statement.text.count("\n", 0, token.start())
    return statement.line


def _parse_error(text: str) -> str | None:
    try:
        PolicySet.from_str(text)
    except ValueError as error:
        return str(error)
    return None


def _names(problem: str, word: str) -> bool:
    return word in _QUOTED.findall(problem) or problem.endswith((f": {word}", f": @{word}"))
