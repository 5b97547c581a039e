"""Which attributes of users and groups are kept, of what type, and how they are published (RFC 7643, sections 4, 6 and 7).

What is not here is not kept: nobody's telephone number is needed to say what a model may be asked. Attributes of the standard that
are left out are ignored wherever they come, because providers send them by default; one that no standard knows is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from yett.scim.errors import invalid

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

MOST_RESULTS = 200  # of a page


class Attribute(Struct, frozen=True):
    """One attribute, in the words of RFC 7643 section 7. `exact`: case counts."""

    name: str
    description: str
    type: str = "string"  # boolean, dateTime, reference, complex
    multi: bool = False
    required: bool = False
    exact: bool = False
    mutability: str = "readWrite"  # readOnly, immutable
    returned: str = "default"  # always
    uniqueness: str = "none"  # server
    sub: tuple[Attribute, ...] = ()
    types: tuple[str, ...] = ()  # of resources that a reference leads to
    canonical: tuple[str, ...] = ()  # the values that it has here

    def part(self, name: str) -> Attribute | None:
        """The sub-attribute of this name, in any case."""
        return _named(self.sub, name)


class Schema(Struct, frozen=True):
    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]


class Kind(Struct, frozen=True):
    """A type of resource: its own schema, and those that extend it."""

    name: str
    endpoint: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()
    ignored: frozenset[str] = frozenset()  # attributes of the standard that are not kept, small letters

    def place(self, written: str) -> Place:
        """Where `name.familyName`, or `urn:…:User:department`, is kept. Raises KeyError, with the name in small letters, when it is not."""
        urn, _, rest = self._schema(written)
        if urn is not None and not rest:
            raise KeyError(written.lower())
        name, dot, sub = rest.partition(".")
        known = (*COMMON, *self.schema.attributes) if urn is None else urn.attributes
        attribute = _named(known, name)
        if attribute is None:
            raise KeyError(name.lower())
        part = attribute.part(sub) if dot else None
        if dot and part is None:
            raise KeyError(f"{name}.{sub}".lower())
        return Place(urn.id if urn is not None and urn is not self.schema else "", attribute, part)

    def extension(self, written: str) -> Schema | None:
        """The extension that is named as a whole."""
        return next((each for each in self.extensions if each.id.lower() == written.lower()), None)

    def ignores(self, name: str) -> bool:
        """Whether this is a name of the standard, though one that is not kept."""
        return name in self.ignored or name.partition(".")[0] in self.ignored

    def _schema(self, written: str) -> tuple[Schema | None, str, str]:
        for schema in (self.schema, *self.extensions):
            if written.lower().startswith(schema.id.lower() + ":"):
                return schema, schema.id, written[len(schema.id) + 1 :]
        return None, "", written


class Place(Struct, frozen=True):
    """An attribute of a resource, or a part of one. `urn` is the extension that it is in, "" for none."""

    urn: str
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """What is compared: of a complex attribute its value."""
        return self.sub or self.attribute.part("value") or self.attribute

    def elements(self, resource: Mapping[str, Any]) -> list[Any]:
        """What stands there: each of many values, one, or none."""
        holder = resource.get(self.urn, {}) if self.urn else resource
        found = holder.get(self.attribute.name)
        if found is None:
            return []
        return list(found) if self.attribute.multi else [found]

    def values(self, resource: Mapping[str, Any]) -> list[Any]:
        """The texts and truths of it that a filter looks at."""
        found = self.elements(resource)
        if not self.attribute.sub:
            return found
        name = self.leaf.name
        return [each[name] for each in found if name in each]


def _named(attributes: tuple[Attribute, ...], name: str) -> Attribute | None:
    return next((each for each in attributes if each.name.lower() == name.lower()), None)


def _read_only(name: str, description: str, type: str = "string", *, exact: bool = True) -> Attribute:
    return Attribute(name, description, type, exact=exact, mutability="readOnly")


COMMON = (
    Attribute("id", "Its name here.", exact=True, mutability="readOnly", returned="always", uniqueness="server"),
    Attribute("externalId", "Its name at the identity provider.", exact=True),
    Attribute(
        "meta",
        "What is known of it here.",
        "complex",
        mutability="readOnly",
        sub=(
            _read_only("resourceType", "User or Group."),
            _read_only("created", "When it came.", "dateTime"),
            _read_only("lastModified", "When it was changed last.", "dateTime"),
            _read_only("location", "Its address.", "reference"),
            _read_only("version", "Changes whenever it does."),
        ),
    ),
)
_VALUES = (
    Attribute("value", "The value."),
    Attribute("display", "What people read."),
    Attribute("type", "What it is for."),
    Attribute("primary", "Whether it is the first of them.", "boolean"),
)
_USER = Schema(
    USER,
    "User",
    "A person, or whatever else signs in.",
    (
        Attribute("userName", "The name to sign in with.", required=True, uniqueness="server"),
        Attribute(
            "name",
            "The parts of the name.",
            "complex",
            sub=(
                Attribute("formatted", "The whole name."),
                Attribute("familyName", "The family's name."),
                Attribute("givenName", "The given name."),
            ),
        ),
        Attribute("displayName", "The name that people read."),
        Attribute("title", "The position in the organisation."),
        Attribute("userType", "The relation to the organisation."),
        Attribute("active", "Whether the user may do anything.", "boolean"),
        Attribute("emails", "Addresses.", "complex", multi=True, sub=_VALUES),
        Attribute("roles", "Roles.", "complex", multi=True, sub=_VALUES),
        Attribute(
            "groups",
            "The groups that the user is in; changed through them.",
            "complex",
            multi=True,
            mutability="readOnly",
            sub=(
                _read_only("value", "The group's id."),
                Attribute("$ref", "Its address.", "reference", exact=True, mutability="readOnly", types=("Group",)),
                _read_only("display", "Its name.", exact=False),
                Attribute("type", "How the user is in it.", mutability="readOnly", canonical=("direct",)),
            ),
        ),
    ),
)
_ENTERPRISE = Schema(
    ENTERPRISE,
    "EnterpriseUser",
    "What an organisation knows of its people.",
    (
        Attribute("employeeNumber", "The number in the organisation."),
        Attribute("costCenter", "Who pays."),
        Attribute("organization", "The organisation."),
        Attribute("division", "The division."),
        Attribute("department", "The department."),
        Attribute(
            "manager",
            "The user's manager.",
            "complex",
            sub=(
                Attribute("value", "The manager's id.", exact=True),
                Attribute("$ref", "The manager's address.", "reference", exact=True, types=("User",)),
                _read_only("displayName", "The manager's name.", exact=False),
            ),
        ),
    ),
)
_GROUP = Schema(
    GROUP,
    "Group",
    "Users who have something in common.",
    (
        Attribute("displayName", "The name of the group.", required=True, uniqueness="server"),
        Attribute(
            "members",
            "Who is in it: users.",
            "complex",
            multi=True,
            sub=(
                Attribute("value", "The user's id.", exact=True, mutability="immutable"),
                Attribute(
                    "$ref", "The user's address.", "reference", exact=True, mutability="immutable", types=("User",)
                ),
                Attribute("type", "What it is.", mutability="immutable", canonical=("User",)),
            ),
        ),
    ),
)
_LEFT_OUT = (
    "nickName profileUrl preferredLanguage locale timezone password phoneNumbers ims photos addresses entitlements x509Certificates "
    "name.middleName name.honorificPrefix name.honorificSuffix"
)
USERS = Kind("User", "/Users", _USER, (_ENTERPRISE,), frozenset(_LEFT_OUT.lower().split()))
GROUPS = Kind("Group", "/Groups", _GROUP)
KINDS = (USERS, GROUPS)


# ---- what is published --------------------------------------------------------------------------------------------


def _attribute(attribute: Attribute) -> dict[str, object]:
    said: dict[str, object] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi,
        "description": attribute.description,
        "required": attribute.required,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
    }
    if attribute.type not in ("complex", "boolean"):
        said |= {"caseExact": attribute.exact, "uniqueness": attribute.uniqueness}
    if attribute.type == "reference":
        said["referenceTypes"] = list(attribute.types) or ["uri"]
    if attribute.canonical:
        said["canonicalValues"] = list(attribute.canonical)
    if attribute.sub:
        said["subAttributes"] = [_attribute(each) for each in attribute.sub]
    return said


def schemas(root: str) -> list[dict[str, object]]:
    """The documents of /Schemas."""
    return [
        {
            "schemas": [_SCHEMA],
            "id": schema.id,
            "name": schema.name,
            "description": schema.description,
            "attributes": [_attribute(each) for each in schema.attributes],
            "meta": {"resourceType": "Schema", "location": f"{root}/Schemas/{schema.id}"},
        }
        for schema in (_USER, _GROUP, _ENTERPRISE)
    ]


def resource_types(root: str) -> list[dict[str, object]]:
    """The documents of /ResourceTypes."""
    return [
        {
            "schemas": [_RESOURCE_TYPE],
            "id": kind.name,
            "name": kind.name,
            "description": kind.schema.description,
            "endpoint": kind.endpoint,
            "schema": kind.schema.id,
            "schemaExtensions": [{"schema": each.id, "required": False} for each in kind.extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{root}/ResourceTypes/{kind.name}"},
        }
        for kind in KINDS
    ]


def service_provider_config(root: str) -> dict[str, object]:
    """The document of /ServiceProviderConfig (RFC 7643, section 5)."""
    bearer = {
        "type": "oauthbearertoken",
        "name": "Bearer token",
        "description": "A token that `yett scim token create` printed.",
        "primary": True,
    }
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [bearer],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{root}/ServiceProviderConfig"},
    }


def part_of(kind: Kind) -> Iterator[tuple[str, Attribute]]:
    """Each attribute that can be written, and the extension it is in."""
    yield "", COMMON[1]
    for schema in (kind.schema, *kind.extensions):
        for attribute in schema.attributes:
            if attribute.mutability != "readOnly":
                yield "" if schema is kind.schema else schema.id, attribute


def unknown(kind: Kind, name: str, error: str) -> Exception:
    """What to raise for an attribute that is not kept: invalidPath, or invalidFilter."""
    return invalid(error, f'a {kind.name} has no attribute "{name[:100]}" here; /Schemas lists them')
