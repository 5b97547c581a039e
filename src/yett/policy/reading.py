"""What a policy reads, from its syntax tree: so that it is sliced, memoised and told definite from approximate soundly.

Everything here errs on the side of reading more: an expression that is not recognised as harmless counts as reading it all.
"""

from __future__ import annotations

from collections.abc import Iterator

from cedarpy import pst
from msgspec import Struct

from yett.policy.schema import ACTIONS, ACTOR, ATTRIBUTES, CATEGORIES, CONTEXT, TASK, suggestion

# What a policy calls a fact, and the field of Facts that holds it. Action, tenant, team, model, target and provider
# are part of every question and need no entry.
_PRINCIPAL = {
    "labels": "caller_labels",
    "assurance": "assurance",
    "kind": "kind",
    "credential": "credential",
    "issuer": "issuer",
    **dict.fromkeys(ACTOR, "actor"),
}
_TYPE = ("kind", "credential")  # what makes it a Key, a User, an Agent or a Service
_WHO = ("caller", *_TYPE)
_GROUPS = ("Team", "Tenant")


class Reading(Struct, frozen=True):
    """What one policy depends on. `fields` are names of Facts; `paths` are the facts in the policy's own words, sorted;
    `team` is the one team whose calls it can match, "" for any; `named` are the words that it looks for in sets of facts, each with
    the name of the fact."""

    actions: frozenset[str]
    team: str
    fields: frozenset[str]
    paths: tuple[str, ...]
    task: frozenset[str]  # the facts of a task
    entities: frozenset[pst.EntityUid]
    named: frozenset[tuple[str, str]]
    problems: tuple[str, ...]


def read(policy: pst.Template) -> Reading:
    """What `policy`, which has passed strict validation, depends on; `problems` are what validation lets through
    although it could only fail or be skipped at run time."""
    walk = _Walk()
    walk.scope(policy.principal, principal=True)
    walk.scope(policy.resource, principal=False)
    for clause in policy.clauses:
        walk.expression(clause.expr)
    return Reading(
        actions=_actions(policy.action),
        team=_team(policy.principal),
        fields=frozenset(walk.fields),
        paths=tuple(sorted(walk.paths)),
        task=frozenset(walk.task),
        entities=frozenset(uid for uid in pst.entity_uids(policy) if str(uid.type) != "Action"),
        named=frozenset(walk.named),
        problems=tuple(dict.fromkeys(walk.problems)),
    )


def _actions(scope: pst.ActionConstraint) -> frozenset[str]:
    match scope:
        case pst.ActionEq(entity):
            return frozenset({entity.id})
        case pst.ActionIn(entities):
            return frozenset(entity.id for entity in entities)
    return frozenset(ACTIONS)


def _team(scope: pst.PrincipalOrResourceConstraint) -> str:
    match scope:
        case pst.ScopeIn(pst.EntityUid(kind, name)) | pst.ScopeIsIn(_, pst.EntityUid(kind, name)) if (
            str(kind) == "Team"
        ):
            return name
    return ""


class _Walk:
    """Collects, over one policy, what its expressions read."""

    def __init__(self) -> None:
        self.fields: set[str] = set()
        self.paths: set[str] = set()
        self.task: set[str] = set()
        self.named: set[tuple[str, str]] = set()
        self.problems: list[str] = []

    def scope(self, scope: pst.PrincipalOrResourceConstraint, *, principal: bool) -> None:
        match scope:
            case pst.ScopeAny():
                return
            case pst.ScopeIs():
                read: tuple[str, ...] = _TYPE
            case pst.ScopeIn(pst.EntityUid() as uid) if str(uid.type) in _GROUPS:
                read = ()
            case pst.ScopeIsIn(_, pst.EntityUid() as uid) if str(uid.type) in _GROUPS:
                read = _TYPE
            case _:
                read = _WHO
        if principal:
            self.fields.update(read)
        self.paths.add("principal" if principal else "resource")

    def expression(self, node: object) -> None:
        match node:
            case pst.Var(name):
                self._variable(name)
            case pst.GetAttr(base, attribute):
                self._attribute(base, attribute)
            case pst.HasAttr(base, attributes):
                self._has(base, attributes)
            case pst.BinaryOp("in", pst.Var("principal"), group) if _is_group(group):
                self.paths.add("principal")
            case pst.Is(pst.Var("principal"), _, group) if group is None or _is_group(group):
                self.fields.update(_TYPE)
                self.paths.add("principal")
            case pst.BinaryOp(("contains" | "contains_all" | "contains_any"), left, right):
                for path, words in ((_path(left), right), (_path(right), left)):
                    if path.startswith("context."):
                        self.named.update((path.removeprefix("context."), word) for word in _strings(words))
                self.expression(left)
                self.expression(right)
            case _:
                for child in _children(node):
                    self.expression(child)

    def _variable(self, name: str) -> None:
        self.paths.add(name)
        if name == "principal":
            self.fields.update(_WHO)
        elif name == "context":  # the record as a whole: compared, put into a set, …
            self.fields.update(CONTEXT)
            self.task.update(TASK)

    def _attribute(self, base: object, attribute: str, *, asked: bool = False) -> None:
        """`asked`: only whether it is there."""
        path = _path(base)
        if not path:
            # An entity that a policy merely names is not among the entities of the request: its attributes are not
            # there, the condition would fail to evaluate, and the call would be refused for a reason nobody meant.
            self.problems.append(
                f'".{attribute}" is read from something other than principal, resource or context; '
                "only the caller, the target and the facts of the call have attributes"
            )
        root = path.partition(".")[0]
        if path == "principal" and attribute in _PRINCIPAL:
            self.fields.add(_PRINCIPAL[attribute])
            if attribute == "actor_assurance":  # of nobody, the principal's
                self.fields.add("assurance")
        elif path == "context" and attribute in CONTEXT:
            self.fields.add(attribute)
            if attribute == "task" and not asked:  # as a whole: compared, put into a set, …
                self.task.update(TASK)
        elif path == "context.task":
            self.fields.add("task")
            self.task.add(attribute)
        elif root != "resource":
            self.expression(base)
        self.paths.add(f"{path}.{attribute}")

    def _has(self, base: object, attributes: tuple[str, ...]) -> None:
        # Of what the schema does not know `has` is always false: a typing mistake that would quietly switch the policy off.
        declared = set(CONTEXT).union(CATEGORIES, TASK, *ATTRIBUTES.values())
        self.problems.extend(
            f'"has {name}": nothing has such an attribute{suggestion(name, declared)}'
            for name in attributes
            if name not in declared
        )
        self._attribute(base, attributes[0], asked=True)


def _is_group(node: object) -> bool:
    """Whether a node is a literal team or tenant, or a set of such: membership in it says nothing more about the caller."""
    match node:
        case pst.EntityLit(uid):
            return str(uid.type) in _GROUPS
        case pst.Set(elements):
            return all(_is_group(element) for element in elements)
    return False


def _path(node: object) -> str:
    """`resource.provider` for a chain of attributes that begins at a variable, "" for anything else."""
    match node:
        case pst.Var(name):
            return name
        case pst.GetAttr(base, attribute):
            path = _path(base)
            return f"{path}.{attribute}" if path else ""
    return ""


def _strings(node: object) -> Iterator[str]:
    match node:
        case pst.StringLit(value):
            yield value
        case pst.Set(elements):
            for element in elements:
                yield from _strings(element)


def _children(node: object) -> Iterator[object]:
    match node:
        case pst.UnaryOp(_, argument):
            yield argument
        case pst.BinaryOp(_, left, right):
            yield from (left, right)
        case pst.Like(base, _):
            yield base
        case pst.Is(base, _, inside):
            yield from (base, inside)
        case pst.IfThenElse(condition, then, otherwise):
            yield from (condition, then, otherwise)
        case pst.Set(elements):
            yield from elements
        case pst.Record(fields):
            yield from fields.values()
