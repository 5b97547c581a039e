"""What a fence keeps out, and for how long."""

from __future__ import annotations

from yett.model.fence import Fence, by_name, fence_name

ONE = Fence("team:default/research", 7, since=100)


def test_a_fence_holds_for_whatever_was_issued_until_it_ends() -> None:
    assert ONE.holds(0, 101)
    assert ONE.holds(200, 300)
    ending = Fence("team:default/research", 7, since=100, until=150)
    assert ending.holds(0, 149.9)
    assert not ending.holds(0, 150)


def test_an_end_of_sessions_holds_for_what_was_issued_before() -> None:
    sessions = Fence("user:default/ada", 8, since=100, sessions=True)
    assert sessions.holds(99, 200)
    assert sessions.holds(100, 200), "issued in the same second, perhaps before"
    assert sessions.holds(0, 200), "nobody knows when it was issued"
    assert not sessions.holds(101, 200)


def test_fences_are_found_by_their_names() -> None:
    other = Fence(ONE.name, 9, since=1, sessions=True)
    assert by_name((ONE, other)) == {ONE.name: (ONE, other)}
    assert ONE.label == "team:default/research#7"


def test_names_say_the_tenant_where_the_id_does_not() -> None:
    assert fence_name("tenant", "default", "acme") == "tenant:acme"
    assert fence_name("key", "default", "key_1") == "key:key_1"
    assert fence_name("user", "acme", "ada") == "user:acme/ada"
