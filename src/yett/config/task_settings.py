"""Settings of tasks: calls that belong together."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from yett.config.scalars import Count, Price, Timeout


class TaskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls that belong together. The limits are for one task, over all workers, and over all machines that share `stores.limits`."""

    traces: Annotated[bool, Meta(description="Calls with one trace id in `traceparent` are one task.")] = True
    ttl: Annotated[
        Timeout, Meta(description="After which a task that has no call in progress is forgotten, with all it has seen.")
    ] = 3600.0
    max_tasks: Annotated[
        int,
        Meta(
            description="Tasks of one tenant that are remembered; then the one that was idle for longest is forgotten.",
            ge=1,
            le=1_000_000,
        ),
    ] = 10_000
    max_steps: Annotated[Count | None, Meta(description="Calls.")] = None
    max_depth: Annotated[
        Annotated[int, Meta(ge=0, le=1000)] | None, Meta(description="Levels of tasks below the first.")
    ] = None
    max_fanout: Annotated[Count | None, Meta(description="Calls in progress at once.")] = None
    max_spend_usd: Annotated[
        Price | None, Meta(description="US dollars: what was charged, and the worst case of what is in progress.")
    ] = None
    on_outage: Annotated[
        Literal["refuse", "local"],
        Meta(
            description="Where policies ask for `context.task` and the processes that share tasks cannot hear each other: calls of tasks are refused, or they "
            "are decided with what the process knows that they come to."
        ),
    ] = "refuse"
