"""What a list is asked for with, and how it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from yett.scim.errors import ScimError
from yett.scim.listing import SEARCH, answer, query, search
from yett.scim.schema import MOST_RESULTS, USERS


def test_a_page_is_bounded() -> None:
    assert (query(USERS, {}).start, query(USERS, {}).count) == (1, MOST_RESULTS)
    asked = query(USERS, {"startIndex": "-3", "count": "100000"})
    assert (asked.start, asked.count) == (1, MOST_RESULTS)
    asked = query(USERS, {"startIndex": "201", "count": "-1", "attributes": "userName", "filter": "title pr"})
    assert (asked.start, asked.count, asked.wanted) == (201, 0, "userName")
    assert asked.filter is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": "ten"},
        {"count": "1" * 10},
        {"startIndex": "٣"},
        {"startIndex": "-"},
        {"attributes": "a", "excludedAttributes": "b"},
        {"attributes": "x" * 2049},
    ],
)
def test_what_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ScimError) as caught:
        query(USERS, wrong)
    assert caught.value.kind == "invalidValue"


def test_a_search_says_the_same_in_its_body() -> None:
    body = {"schemas": [SEARCH], "filter": "title pr", "attributes": ["userName", "title"], "startIndex": 2, "count": 5}
    assert search(USERS, body) == query(
        USERS, {"filter": "title pr", "attributes": "userName,title", "startIndex": "2", "count": "5"}
    )
    wrong: list[Any] = [[], {}, {"schemas": ["x"]}]
    for each in wrong:
        with pytest.raises(ScimError):
            search(USERS, each)


def test_the_answer_counts() -> None:
    assert answer([{"id": "a"}], 7, 3) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 7,
        "startIndex": 3,
        "itemsPerPage": 1,
        "Resources": [{"id": "a"}],
    }
