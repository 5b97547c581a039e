"""What roles may do, and where."""

from __future__ import annotations

from yett.model.operator import PERMISSIONS, ROLES, Identity, Mapped, Operator, Role, Session, roles_of

ADA = Identity("https://idp.example", "ada", "Ada", "ada@acme.example", ("staff",))


def operator(*roles: Role) -> Operator:
    return Operator(ADA, roles, "oidc", "ses_1", 9, "192.0.2.7")


def test_approving_is_no_step_of_a_ladder() -> None:
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"]
    assert [role for role in ROLES if "approve" in ROLES[role]] == ["approver"]
    assert frozenset[str]().union(*ROLES.values()) == set(PERMISSIONS)
    both = operator(Role("admin"), Role("approver"))
    assert both.permissions == set(PERMISSIONS)


def test_a_role_reaches_as_far_as_its_tenants() -> None:
    who = operator(Role("operator", ("acme",)), Role("viewer", ("acme", "umbra")))
    assert who.may("keys", "acme")
    assert not who.may("keys", "umbra")
    assert not who.may("keys")
    assert who.where("keys") == {"acme"}
    assert who.where("read") == {"acme", "umbra"}
    assert who.where("content") == frozenset()
    everywhere = operator(Role("viewer"), Role("operator", ("acme",)))
    assert everywhere.where("read") is None
    assert everywhere.where("fences") == {"acme"}


def test_roles_follow_from_what_is_said_and_mapped_now() -> None:
    mapping = (Mapped("staff", Role("viewer")), Mapped("chiefs", Role("admin")), Mapped("crew", Role("viewer")))
    assert roles_of(("staff", "crew"), mapping) == (Role("viewer"),)
    assert roles_of(("chiefs",), mapping[:1]) == ()


def test_a_session_ends_in_three_ways() -> None:
    session = Session("ses_1", "oidc", ADA, begun=0, seen=50, expires=100, address="")
    assert not session.over(79, 30)
    assert session.over(80, 30)
    assert session.over(100, 1000)
    assert Session("ses_1", "oidc", ADA, begun=0, seen=50, expires=100, address="", ended=60).over(70, 30)


def test_what_a_record_says_of_somebody() -> None:
    who = operator(Role("viewer"))
    assert who.noted() == {
        "issuer": "https://idp.example",
        "subject": "ada",
        "email": "ada@acme.example",
        "roles": ["viewer"],
        "means": "oidc",
        "session": "ses_1",
        "address": "192.0.2.7",
    }
