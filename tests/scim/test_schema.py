"""What is published about resources is what holds of them."""

from __future__ import annotations

from yett.scim.schema import KINDS, USERS, part_of, resource_types, schemas, service_provider_config


def test_what_is_published_is_what_is_kept() -> None:
    published = {each["id"]: each for each in schemas("https://y")}
    for kind in KINDS:
        for schema in (kind.schema, *kind.extensions):
            names = [each["name"] for each in published[schema.id]["attributes"]]  # type: ignore[attr-defined]
            assert names == [each.name for each in schema.attributes]
    assert [each["endpoint"] for each in resource_types("https://y")] == ["/Users", "/Groups"]


def test_what_is_not_there_is_said_not_to_be() -> None:
    config = service_provider_config("https://y")
    assert config["bulk"] == {"supported": False, "maxOperations": 0, "maxPayloadSize": 0}
    assert config["patch"] == {"supported": True}


def test_read_only_attributes_cannot_be_written() -> None:
    names = {attribute.name for _, attribute in part_of(USERS)}
    assert "groups" not in names
    assert {"externalId", "userName", "department"} <= names
