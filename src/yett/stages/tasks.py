"""tasks: which calls belong together, and what they have done so far. Each call of a task is decided with that, and bounded by it.

A task token says which task it is for. Without one, callers name it: `x-yett-task`, in which every "/" is one level further
down, or else the trace id of `traceparent`. Such a name means something within one caller of one tenant only: nobody can join,
exhaust or taint another's task. Who leaves it out has no task, and no facts of one; what must not be done without one, a policy
refuses with `unless { context has task }`.

All of it is in memory, for each process by itself; what other processes, of this machine and others, know of the same task comes in with
`merge`. Data labels, findings and tools only ever grow: what a task has seen it cannot unsee.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import islice
from math import ceil

from msgspec import Struct

from yett.config.task_settings import TaskSettings
from yett.errors import Refusal
from yett.model.caller import Caller
from yett.model.key import Budget, Limits
from yett.model.task import TaskFacts, TaskName
from yett.ports import Scope

Key = tuple[str, str]  # of a task: its tenant and id
SEEN = frozenset(("depth", "labels", "findings", "tools"))  # facts that change seldom; the others do with every call
_Name = tuple[str, str]
MOST_WORDS = 256  # labels, findings or tools that are kept of one task; beyond it, none is forgotten and none added


class Part(Struct):
    """What one process knows of a task: counts that are added up, a depth of which the greatest counts, and words of which all do.
    `spent` and `held` in micro-USD, `last` in seconds since the epoch."""

    depth: int = 0
    steps: int = 0
    fanout: int = 0
    spent: int = 0
    held: int = 0
    labels: frozenset[str] = frozenset()
    findings: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    last: float = 0.0


class Task:
    """One task. `own` is what this process knows, `others` what all others said last; `changes` are the tasks of which the others
    have not been told yet. `news`: it has seen something since it was told last, which is more than counting; `told`: `last` as they know it, None: they
    have never heard of it from here."""

    __slots__ = ("_changes", "_scopes", "fence", "id", "key", "news", "others", "own", "owner", "told")

    def __init__(self, id: str, caller: Caller, others: Part, changes: dict[Key, Task]) -> None:
        tenant = caller.tenant
        self.id = id
        self.key = (tenant, id)
        self.owner = caller.id  # who began it here
        self.news = False
        self.told: float | None = None
        self.fence = f"task:{tenant}/{id}"
        self.own = Part()
        self.others = others
        self._changes = changes
        self._scopes: tuple[TaskSettings, tuple[Scope, ...], tuple[Scope, ...]] | None = None

    def scopes(self, settings: TaskSettings, scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
        """A call's scopes, and the task itself where it is limited; the same tuple for the next call like it, as ledgers want it."""
        known = self._scopes
        if known is None or known[0] is not settings or known[1] is not scopes:
            known = self._scopes = (settings, scopes, scopes + _limited(settings, self.fence))
        return known[2]

    def changed(self) -> None:
        self._changes[self.key] = self

    @property
    def spend(self) -> int:
        own, others = self.own, self.others
        return own.spent + own.held + others.spent + others.held

    def facts(self) -> TaskFacts:
        """What policies may ask about it."""
        own, others = self.own, self.others
        return TaskFacts(
            depth=max(own.depth, others.depth),
            steps=own.steps + others.steps,
            fanout=own.fanout + others.fanout,
            spend=self.spend,
            labels=_words(own.labels, others.labels),
            findings=_words(own.findings, others.findings),
            tools=_words(own.tools, others.tools),
        )

    def learn(self, labels: Iterable[str] = (), findings: Iterable[str] = (), tools: Iterable[str] = ()) -> None:
        """Add to what it has seen."""
        own = self.own
        for name, words in (("labels", labels), ("findings", findings), ("tools", tools)):
            known: frozenset[str] = getattr(own, name)
            new = [word for word in words if word not in known]
            if new and len(known) < MOST_WORDS:
                setattr(own, name, known.union(new[: MOST_WORDS - len(known)]))
                self.news = True
                self.changed()


class Step:
    """One call of a task, from its beginning to its end."""

    __slots__ = ("_held", "number", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.number = task.own.steps + task.others.steps
        self._held = 0

    def hold(self, cost: int, most: int | None) -> None:
        """Count the worst case of this call in. Raises Refusal("task_limit_exceeded") when the task may not spend so much."""
        if most is not None and self.task.spend + cost > most:
            raise Refusal("task_limit_exceeded", "The task has used up what it may spend.")
        self.task.own.held += cost
        self._held = cost

    def end(self, cost: int, now: float) -> None:
        """The call is over, and has cost that much."""
        own = self.task.own
        own.fanout -= 1
        own.held -= self._held
        own.spent += cost
        own.last = max(own.last, now)
        self._held = 0
        self.task.changed()


class _Tenant:
    """The tasks of one tenant, by who may name them ("": whoever has a token of it) and their name; and by whose they are, those that were
    used last at the end."""

    __slots__ = ("owners", "tasks")

    def __init__(self) -> None:
        self.tasks: dict[_Name, Task] = {}
        self.owners: dict[str, OrderedDict[_Name, Task]] = {}  # which finds its first at once, whatever has gone before


class Tasks:
    """The tasks that go on, by tenant: a tenant with many of them forgets one of its own that was idle for long, never another's; and of
    its callers the one with the most loses it, so that no caller gets rid of what another's task has seen by thinking up names."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = blake2b(pepper, digest_size=32, person=b"yett-task").digest()
        self._tenants: dict[str, _Tenant] = {}
        self._by_key: dict[Key, Task] = {}
        self._changes: dict[Key, Task] = {}
        self._gone: set[Key] = set()  # what others have been told of, and is forgotten here
        self._known: dict[Key, Part] = {}  # what other processes said, of tasks that this one has not as well
        self.apart = False  # nobody has been heard for a while: what others know may not be known here

    def __len__(self) -> int:
        return sum([len(tenant.tasks) for tenant in self._tenants.values()])

    def begin(self, settings: TaskSettings, caller: Caller, name: TaskName, now: float) -> Step:
        """Another step of this task, which begins with it if need be. `now` is wall time in seconds.

        Raises Refusal (task_limit_exceeded, task_fanout_exceeded): the step is then not counted.
        """
        task = self._find(settings, caller, name, now)
        own, others = task.own, task.others
        if settings.max_depth is not None and name.depth > settings.max_depth:
            raise Refusal("task_limit_exceeded", f"A task may have {settings.max_depth} levels below it.")
        if settings.max_steps is not None and own.steps + others.steps >= settings.max_steps:
            raise Refusal("task_limit_exceeded", f"The task has taken the {settings.max_steps} steps it may take.")
        if settings.max_fanout is not None and own.fanout + others.fanout >= settings.max_fanout:
            raise Refusal("task_fanout_exceeded", retry_after=1.0)
        own.steps += 1
        own.fanout += 1
        if name.depth > own.depth:
            own.depth, task.news = name.depth, True
        own.last = max(own.last, now)
        task.changed()
        return Step(task)

    def _find(self, settings: TaskSettings, caller: Caller, name: TaskName, now: float) -> Task:
        tenant = self._tenants.get(caller.tenant)
        if tenant is None:
            tenant = self._tenants[caller.tenant] = _Tenant()
        key = ("" if name.issued else caller.id, name.name)
        task = tenant.tasks.get(key)
        if task is None or _over(task, settings.ttl, now):
            if task is not None:
                self._forget(tenant, key)
            self._make_room(tenant, caller.id, settings, now)
            id = name.name if name.issued else self._id(caller, name.name)
            known = self._known.get((caller.tenant, id)) or Part()
            task = tenant.tasks[key] = Task(id, caller, known, self._changes)
            self._by_key[task.key] = task
            if _over(task, settings.ttl, now):
                task.others = Part()
        own = tenant.owners.get(task.owner)
        if own is None:
            own = tenant.owners[task.owner] = OrderedDict()
        own[key] = task
        own.move_to_end(key)
        return task

    def _id(self, caller: Caller, name: str) -> str:
        """The same in every process of a deployment, and for nobody to guess."""
        made = blake2b(key=self._pepper, digest_size=12)
        for part in (caller.tenant, caller.id, name):
            data = part.encode()
            made.update(len(data).to_bytes(4, "big") + data)
        return f"task_{made.hexdigest()}"

    # ---- with other processes ----

    def parts(self, ttl: float, *, counts: bool = True) -> list[tuple[Key, Part]]:
        """What has changed here since the last time. Without `counts`, only what has seen something, and that what others know goes on."""
        found = []
        for key, task in self._changes.items():
            if counts or task.news or (task.told is not None and task.own.last - task.told >= ttl / 4):
                task.news, task.told = False, task.own.last
                found.append((key, task.own))
        self._changes.clear()
        return found

    def gone(self) -> list[Key]:
        """What others were told of and has been forgotten here since the last time."""
        found = list(self._gone)
        self._gone.clear()
        return found

    def keep(self, keys: Iterable[Key], gone: Iterable[Key] = ()) -> None:
        """These could not be passed on."""
        for key in keys:
            if (task := self._by_key.get(key)) is not None:
                task.news = True
                task.changed()
        self._gone.update(gone)

    def active(self, ttl: float, now: float) -> frozenset[Key]:
        """The tasks that go on here."""
        return frozenset([key for key, task in self._by_key.items() if task.own.fanout or task.own.last + ttl > now])

    def merge(self, heard: Mapping[Key, Part | None]) -> None:
        """What all other processes together know now of these tasks; None: nothing any more."""
        for key, part in heard.items():
            if part is None:
                self._known.pop(key, None)
            else:
                self._known[key] = part
            if (task := self._by_key.get(key)) is not None:
                task.others = part or Part()

    def sweep(self, ttl: float, now: float) -> None:
        """Forget what has been idle for so long, wherever that was."""
        for name, tenant in list(self._tenants.items()):
            for key in [key for key, task in tenant.tasks.items() if _over(task, ttl, now)]:
                self._forget(tenant, key)
            if not tenant.tasks:
                del self._tenants[name]

    def _make_room(self, tenant: _Tenant, caller: str, settings: TaskSettings, now: float) -> None:
        """For one more: what is over goes, and if need be what was idle for longest of the caller who has the most."""
        owners = tenant.owners
        own = owners.get(caller) or OrderedDict()
        for key, task in list(islice(own.items(), 2)):  # the oldest come first
            if _over(task, settings.ttl, now):
                self._forget(tenant, key)
        if len(tenant.tasks) < settings.max_tasks:
            return
        # Who has its share at least makes room among its own; so it need not be found out who has the most.
        share = len(own) * len(owners) >= settings.max_tasks
        places: tuple[dict[_Name, Task], ...] = (own,) if share else (max(owners.values(), key=len), tenant.tasks)
        for tasks in places:
            idle = next((key for key, task in tasks.items() if not task.own.fanout), None)
            if idle is not None:
                self._forget(tenant, idle)
                return
        raise Refusal("task_fanout_exceeded", "As many tasks are in progress as there may be.", retry_after=1.0)

    def _forget(self, tenant: _Tenant, key: _Name) -> None:
        task = tenant.tasks.pop(key)
        own = tenant.owners[task.owner]
        del own[key]
        if not own:
            del tenant.owners[task.owner]
        self._by_key.pop(task.key, None)
        self._changes.pop(task.key, None)
        if task.told is not None:
            self._gone.add(task.key)


def together(parts: Iterable[Part]) -> Part:
    """What several processes know of one task."""
    whole = Part()
    for part in parts:
        whole.depth = max(whole.depth, part.depth)
        whole.last = max(whole.last, part.last)
        whole.steps += part.steps
        whole.fanout += part.fanout
        whole.spent += part.spent
        whole.held += part.held
        whole.labels |= part.labels
        whole.findings |= part.findings
        whole.tools |= part.tools
    return whole


def _over(task: Task, ttl: float, now: float) -> bool:
    """Whether it has been idle for so long, everywhere."""
    running = task.own.fanout or task.others.fanout
    return not running and max(task.own.last, task.others.last) + ttl <= now


def _limited(settings: TaskSettings, name: str) -> tuple[Scope, ...]:
    """The task as a scope of the ledger, which counts it for all workers and machines; nothing where nothing limits it."""
    steps, at_once, dollars = settings.max_steps, settings.max_fanout, settings.max_spend_usd
    if steps is None and at_once is None and dollars is None:
        return ()
    budget = None if dollars is None else Budget(int(dollars * 1_000_000), "ever")
    return (Scope(name, Limits(concurrency=at_once, budget=budget), max(ceil(settings.ttl), 1), steps),)


def _words(own: frozenset[str], others: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(own | others)) if own or others else ()
