"""When events leave while text of theirs waits, and as what."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from yett.stages.stream_events import Departures, Event, Slot, Waiting


def arrive(text: object, number: int = 1, **beside: object) -> Event:
    document: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": text, **beside}}]}
    return Event(b"data: " + json.dumps(document).encode() + b"\n\n", document, number)


def wait(event: Event, waiting: Waiting, text: str, container: Any = None, key: Any = "content") -> None:
    slot = Slot(event, event.taken_apart()["choices"][0]["delta"] if container is None else container, key, len(text))
    event.slots.append(slot)
    event.open += 1
    waiting.append(slot)


def shown(departures: Departures) -> list[Any]:
    """What the caller reads in what has left until now."""
    said = [json.loads(event[6:])["choices"][0]["delta"]["content"] for event in departures.out]
    departures.out.clear()
    return said


def test_what_is_settled_as_it_was_leaves_byte_for_byte() -> None:
    departures, waiting = Departures(), Waiting()
    event = arrive("Hello")
    wait(event, waiting, "Hello")
    departures.settle(waiting, "Hello", 5, masked=False)
    departures.show_moved()
    assert departures.out == [event.raw]
    assert not waiting


def test_a_marker_stands_where_the_match_began_and_probabilities_go_with_it() -> None:
    departures, waiting = Departures(), Waiting()
    events = [arrive("to ada@", 1), arrive("x.org now", 2)]
    events[0].taken_apart()["choices"][0]["logprobs"] = {"content": [{"token": "ada@"}]}
    wait(events[0], waiting, "to ada@")
    wait(events[1], waiting, "x.org now")
    departures.settle(waiting, "to ", 3, masked=False)
    departures.settle(waiting, "[M]", 9, masked=True)
    departures.settle(waiting, " now", 4, masked=False)
    departures.show_moved()
    assert b"token" not in b"".join(departures.out)
    assert shown(departures) == ["to [M]", " now"]


def test_events_leave_in_the_order_in_which_they_came_and_those_that_did_not_move_stay() -> None:
    departures = Departures()
    one, other = Waiting(), Waiting()
    events = [arrive(text, number) for number, text in enumerate(("a ", "b ", "c "))]
    for event, waiting in zip(events, (one, other, deque[Slot]()), strict=True):
        wait(event, waiting, "x ")
    departures.settle(other, "x ", 2, masked=False)
    departures.settle(one, "x ", 2, masked=False)
    departures.show_moved(but=None)
    assert departures.out == [events[0].raw, events[1].raw]
    departures.settle(one, "more", 4, masked=False)  # nobody waits for it
    departures.show_moved()
    assert len(departures.out) == 2


def test_the_event_that_is_shown_anyway_is_not_shown_twice() -> None:
    departures, waiting = Departures(), Waiting()
    event = arrive("Hello")
    wait(event, waiting, "Hello")
    departures.settle(waiting, "Hello", 5, masked=False)
    departures.show_moved(but=event)
    assert departures.out == []
    departures.show(event)
    assert departures.out == [event.raw]


def test_words_are_shown_before_what_may_be_a_match_and_never_again() -> None:
    departures, waiting = Departures(), Waiting()
    event = arrive("see ghp_")
    wait(event, waiting, "see ghp_")
    departures.show(event)
    assert shown(departures) == []  # nothing of it is settled
    departures.settle(waiting, "see ", 4, masked=False)
    departures.show_moved()
    assert shown(departures) == ["see "]
    departures.settle(waiting, "ghp_", 4, masked=False)
    departures.show_moved()
    assert shown(departures) == ["ghp_"]


def test_an_event_of_a_known_frame_is_taken_apart_when_it_has_to_be() -> None:
    departures, waiting = Departures(), Waiting()
    event = Event(arrive("see ghp_").raw, None, 1)
    wait(event, waiting, "see ghp_", container=())
    departures.settle(waiting, "see ", 4, masked=False)
    departures.show_moved()
    assert shown(departures) == ["see "]


def test_what_carries_more_than_its_words_waits_until_it_is_whole() -> None:
    """A client puts together what comes twice: the id of a tool call, the first item of a list."""
    for event, container in (
        (beside := arrive("see ghp_", role="assistant"), None),
        (listed := arrive(["see ghp_"]), listed.taken_apart()["choices"][0]["delta"]["content"]),
    ):
        departures, waiting = Departures(), Waiting()
        wait(event, waiting, "see ghp_", container, "content" if container is None else 0)
        departures.settle(waiting, "see ", 4, masked=False)
        departures.show_moved()
        assert departures.out == []
        departures.settle(waiting, "ghp_", 4, masked=False)
        departures.show_moved()
        assert departures.out == [event.raw]
    assert beside.open == listed.open == 0


def test_an_event_of_two_texts_is_not_split() -> None:
    departures, one, other = Departures(), Waiting(), Waiting()
    event = arrive("see ghp_", refusal="no")
    wait(event, one, "see ghp_")
    wait(event, other, "no", key="refusal")
    departures.settle(one, "see ghp_", 8, masked=False)
    departures.show_moved()
    assert departures.out == []
    departures.settle(other, "[M]", 2, masked=True)
    departures.show_moved()
    assert json.loads(departures.out[0][6:])["choices"][0]["delta"] == {"content": "see ghp_", "refusal": "[M]"}
