"""Task: what several calls have in common, as the gateway knows it while they go on: the facts that policies read of it."""

from __future__ import annotations

from msgspec import Struct

# The facts of a task, as policies call them.
FACTS = ("depth", "steps", "fanout", "spend", "labels", "findings", "tools")


class TaskFacts(Struct, frozen=True, omit_defaults=True):
    """What a task had done when a call of it began; `steps` and `fanout` count that call, the others do not. What no policy reads
    stays as it is here, so that calls which differ in nothing else are decided once."""

    depth: int = 0  # tasks above the one that calls: 0 for the first
    steps: int = 0  # calls of the task
    fanout: int = 0  # of them, in progress at once
    spend: int = 0  # micro-USD: what was charged, and the worst case of what is in progress
    labels: tuple[str, ...] = ()  # of any content that it has seen, sorted
    findings: tuple[str, ...] = ()  # the same of what was found in that, as in Facts
    tools: tuple[str, ...] = ()  # that the model has called in it


class TaskName(Struct, frozen=True):
    """What a call is part of. `name` is of the whole task, `depth` how far below its top the caller stands. `issued`: it is in a token
    that Yett issued, and so the id of one task of the tenant, whoever comes with such a token; else it is a word of the caller's."""

    name: str
    depth: int = 0
    issued: bool = False
