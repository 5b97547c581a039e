"""PATCH (RFC 7644, section 3.5.2): operations on the attributes of a resource, all of them or none.

    add      a value to many, the parts of one, or what was not there
    replace  the value, or the parts of it that are named
    remove   the value, one of many, or a part

As real providers write it: operations in any case ("Add"), paths as names in the value, parts with a dot as such names, a value that a
filter describes and that is not there yet (`emails[type eq "work"].value`: it is made), what is to be removed as the value.

The members of a group are not among its attributes here: there may be very many. What happens to them comes out as steps, in order.
"""

from __future__ import annotations

import copy
from typing import Any

from msgspec import Struct

from yett.scim.errors import invalid
from yett.scim.filter import Filter, equals, holds, parse_inner
from yett.scim.resource import Kept, complete, member_ids, put, taken
from yett.scim.schema import Attribute, Kind, Place, unknown

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_OPERATIONS = 1000


class Operation(Struct, frozen=True):
    """`op`: add, replace, remove. `path` is "" where there is none."""

    op: str
    path: str
    value: Any


class Step(Struct, frozen=True):
    """What happens to the members of a group. `op`: add, replace (nobody else is in it afterwards), remove; with a filter those for whom it
    holds, `{"value": id, "type": "User"}`, are meant."""

    op: str
    ids: tuple[str, ...] = ()
    filter: Filter | None = None


class _Path(Struct, frozen=True):
    place: Place
    filter: Filter | None = None

    @property
    def attribute(self) -> Attribute:
        return self.place.attribute


def read(body: Any) -> tuple[Operation, ...]:
    """Raises ScimError: invalidSyntax, invalidValue, noTarget, invalidPath."""
    sent = {str(name).lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
    schemas, operations = sent.get("schemas"), sent.get("operations")
    if not isinstance(schemas, list) or PATCH not in schemas:
        raise invalid("invalidSyntax", f'"schemas" has to name {PATCH}')
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
        raise invalid("invalidSyntax", f'"Operations" is a list of 1 to {MOST_OPERATIONS}')
    return tuple(_operation(each) for each in operations)


def _operation(sent: Any) -> Operation:
    if not isinstance(sent, dict):
        raise invalid("invalidSyntax", "an operation is a JSON object")
    written = {str(name).lower(): value for name, value in sent.items()}
    op, path = str(written.get("op")).lower(), written.get("path") or ""
    if op not in ("add", "replace", "remove"):
        raise invalid("invalidSyntax", '"op" is add, replace or remove')
    if not isinstance(path, str):
        raise invalid("invalidPath", '"path" is a text')
    if op == "remove" and not path:
        raise invalid("noTarget", "what is to be removed has to be named")
    if op != "remove" and "value" not in written:
        raise invalid("invalidValue", f'"{op}" needs a value')
    return Operation(op, path, written.get("value"))


def patch(kind: Kind, kept: Kept, operations: tuple[Operation, ...]) -> tuple[Kept, tuple[Step, ...]]:
    """The attributes afterwards, and what happens to the members. Raises ScimError: invalidPath, invalidFilter, invalidValue, mutability,
    noTarget."""
    after, steps = copy.deepcopy(kept), list[Step]()
    for operation in operations:
        if operation.path and (extension := kind.extension(operation.path)) is None:
            if (path := _path(kind, operation.path)) is not None:
                _carry_out(after, steps, operation, path)
        else:
            prefix = f"{extension.id}:" if operation.path and extension is not None else ""
            _each(kind, after, steps, operation, prefix)
    return complete(kind, after), tuple(steps)


def _each(kind: Kind, after: Kept, steps: list[Step], operation: Operation, prefix: str) -> None:
    """An operation without a path, or on an extension as a whole: what is named in its value."""
    if operation.op == "remove":
        after.pop(prefix[:-1], None)
        return
    if not isinstance(operation.value, dict):
        raise invalid("invalidValue", "without a path, the value is an object with the names of attributes")
    for name, value in operation.value.items():
        if not prefix and kind.extension(name) is not None:
            _each(kind, after, steps, Operation(operation.op, name, value), f"{name}:")
            continue
        if name.lower() in ("schemas", "id", "meta"):
            continue  # repeated from what was answered; they are not changed by it
        if (path := _path(kind, prefix + name)) is not None:
            _carry_out(after, steps, Operation(operation.op, name, value), path)


def _path(kind: Kind, written: str) -> _Path | None:
    """None for an attribute that is not kept. Raises ScimError: invalidPath, invalidFilter, mutability."""
    name, bracket, rest = written.partition("[")
    inner, closed, sub = rest.rpartition("]")
    if bracket and (not closed or (sub and not sub.startswith("."))):
        raise invalid("invalidPath", "a path is an attribute, a filter in brackets behind it, and a part behind a dot")
    try:
        place = kind.place(name + sub)
    except KeyError as error:
        if kind.ignores(str(error.args[0])):
            return None
        raise unknown(kind, written, "invalidPath") from None
    if "readOnly" in (place.attribute.mutability, place.sub.mutability if place.sub is not None else ""):
        raise invalid("mutability", f'"{written[:100]}" cannot be changed like that')
    if not bracket:
        return _Path(place)
    if not place.attribute.multi:
        raise invalid("invalidPath", f'"{name[:100]}" has one value only')
    return _Path(place, parse_inner(inner, kind, place.attribute))


def _carry_out(after: Kept, steps: list[Step], operation: Operation, path: _Path) -> None:
    if path.attribute.name == "members" and not path.place.urn:
        steps.append(_step(operation, path))
    elif operation.op == "remove":
        _remove(after, path, operation.value)
    elif path.attribute.multi:
        _change_many(after, path, operation)
    else:
        _change_one(after, path, operation.value)


def _step(operation: Operation, path: _Path) -> Step:
    if path.place.sub is not None:
        raise invalid("mutability", "a member can be added and removed, not changed")
    if operation.op != "remove":
        if path.filter is not None:
            raise invalid("invalidPath", 'members are named in the value: [{ "value": "the id of a user" }]')
        return Step(operation.op, member_ids(operation.value))
    if path.filter is None:
        return Step("remove", member_ids(operation.value)) if operation.value else Step("replace")
    named = equals(path.filter)
    if named is not None and named.keys() == {"value"}:
        return Step("remove", (str(named["value"]),))
    return Step("remove", (), path.filter)


def concerned(steps: tuple[Step, ...]) -> frozenset[str] | None:
    """Whom these steps are about; None when that may be anybody."""
    if any(step.op == "replace" or step.filter is not None for step in steps):
        return None
    return frozenset(id for step in steps for id in step.ids)


def left(steps: tuple[Step, ...], before: frozenset[str]) -> frozenset[str]:
    """Who is in the group after these steps; of those whom they concern, or of all."""
    found = before
    for step in steps:
        ids = frozenset(step.ids)
        if step.op == "remove":
            if (filter := step.filter) is not None:
                ids = frozenset(id for id in found if holds(filter, {"value": id, "type": "User"}))
            found -= ids
        else:
            found = ids if step.op == "replace" else found | ids
    return found


def _change_one(after: Kept, path: _Path, value: Any) -> None:
    attribute, sub = path.attribute, path.place.sub
    new = taken(attribute, {sub.name: value} if sub is not None else value)
    if attribute.sub:
        now = dict(_now(after, path) or {})
        named = [sub.name] if sub is not None else list(value) if isinstance(value, dict) else ["value"]
        for name in named:
            part = attribute.part(str(name))
            if part is not None and part.mutability != "readOnly":
                now.pop(part.name, None)
        new = {**now, **(new or {})} or None
    put(after, path.place.urn, attribute, new)


def _change_many(after: Kept, path: _Path, operation: Operation) -> None:
    attribute, sub, filter = path.attribute, path.place.sub, path.filter
    values: list[dict[str, Any]] = list(_now(after, path) or [])
    first = [each for each in values if each.get("primary")]
    if filter is None and sub is None:
        new = taken(attribute, operation.value) or []
        values = new if operation.op == "replace" else values + [each for each in new if each not in values]
    else:
        new = (taken(attribute, {sub.name: operation.value} if sub is not None else operation.value) or [{}])[:1]
        meant = [each for each in values if filter is None or holds(filter, each)]
        if not meant:
            described = equals(filter) if filter is not None else {}
            if described is None:
                raise invalid("noTarget", "there is no such value, and the filter does not describe one")
            made = {**(taken(attribute, described) or [{}])[0], **new[0]}
            values.append(made)
        for each in meant:
            if sub is not None:
                each.pop(sub.name, None)
            elif operation.op == "replace":
                each.clear()
            each.update(new[0])
    _one_primary(values, first)
    put(after, path.place.urn, attribute, taken(attribute, [each for each in values if each]))


def _one_primary(values: list[dict[str, Any]], first: list[dict[str, Any]]) -> None:
    """Where another one is primary now, the one that was is not."""
    if any(each.get("primary") and not any(each is one for one in first) for each in values):
        for each in values:
            if any(each is one for one in first):
                each["primary"] = False


def _remove(after: Kept, path: _Path, value: Any) -> None:
    attribute, sub, filter = path.attribute, path.place.sub, path.filter
    now = _now(after, path)
    if now is None:
        return
    if attribute.required:
        raise invalid("mutability", f'"{attribute.name}" is required')
    if not attribute.multi:
        rest = {name: part for name, part in now.items() if name != sub.name} if sub is not None else None
        put(after, path.place.urn, attribute, rest or None)
        return
    if filter is None and sub is None and value:
        gone = [each.get("value") for each in taken(attribute, value) or []]
        kept = [each for each in now if each.get("value") not in gone]
    elif sub is None:
        kept = [each for each in now if filter is not None and not holds(filter, each)]
    else:
        kept = [
            each if filter is not None and not holds(filter, each) else {n: v for n, v in each.items() if n != sub.name}
            for each in now
        ]
    put(after, path.place.urn, attribute, [each for each in kept if each] or None)


def _now(after: Kept, path: _Path) -> Any:
    holder = after.get(path.place.urn, {}) if path.place.urn else after
    return holder.get(path.attribute.name)
