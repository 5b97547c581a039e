"""Duties: the obligations of a verdict, by what has to be done."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.model.decision import Obligation


class Duties(Struct, frozen=True):
    """`redact`, `tokenize` and `surrogate` are selectors (families or kinds) of what is exchanged before a text leaves, `withhold`
    of what is not put back in the reply, `restore` of what is put back into the arguments of a tool, too. `cap` is a number of
    output tokens, 0 for none, `marks` is what is added to texts, as `stages.plant` names it, `tags` are labels for the record. `route` is not here: it has done its work when the targets were
    chosen."""

    redact: tuple[str, ...] = ()
    tokenize: tuple[str, ...] = ()
    surrogate: tuple[str, ...] = ()
    withhold: tuple[str, ...] = ()
    restore: tuple[tuple[str, str], ...] = ()  # selector and tool, "*" for all tools
    cap: int = 0
    marks: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()
    reversible: bool = False  # something is to be put back in the reply


NONE = Duties()


def duties_of(obligations: Sequence[Obligation]) -> Duties:
    if not obligations:
        return NONE
    by_verb: dict[str, list[str]] = {}
    for obligation in obligations:
        by_verb.setdefault(obligation.verb, []).append(obligation.argument)
    named = {verb: tuple(by_verb.get(verb, ())) for verb in ("redact", "tokenize", "surrogate", "withhold")}
    restored = [argument.partition("@") for argument in by_verb.get("restore", ())]
    return Duties(
        **named,
        restore=tuple((selector, tool) for selector, _, tool in restored),
        cap=min((int(argument.removeprefix("max_tokens=")) for argument in by_verb.get("cap", ())), default=0),
        marks=frozenset((*by_verb.get("plant", ()), *by_verb.get("spotlight", ()))),
        tags=tuple(by_verb.get("tag", ())),
        reversible="tokenize" in by_verb or "surrogate" in by_verb,
    )
