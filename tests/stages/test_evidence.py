"""What a witness takes down of findings: enough to know them again, never what was found."""

from __future__ import annotations

from tests.scene import CONFIGURATION, MAIL, SECRET
from tests.stages.conftest import Compiled

from yett.config.suppressions import fingerprint
from yett.model.finding import Finding
from yett.model.record import Evidence
from yett.model.segment import Segment
from yett.stages.evidence import Witness

TEXT = f"mail {MAIL} key {SECRET}"
AT, KEY = TEXT.index(MAIL), TEXT.index(SECRET)
FOUND = (
    Finding("pii.email", 0, AT, AT + len(MAIL), "email"),
    Finding("secret.github-token", 0, KEY, KEY + len(SECRET), "base64>github-token", 0.987654),
    Finding("guardrail.failed-open", 0, 0, 0, "judge"),
)


def noted(compiled: Compiled, settings: str, tenant: str = "acme") -> Witness:
    configuration = CONFIGURATION.replace('content = "digest"', settings)
    witness = Witness(compiled(configuration=configuration), tenant, "request")
    witness.whole(FOUND, (Segment(TEXT, "user", 2),))
    return witness


def test_each_finding_by_itself_and_never_its_value(compiled: Compiled) -> None:
    witness = noted(compiled, 'content = "digest"')
    snapshot = compiled()
    mail, secret, whole = witness.listed
    mark = fingerprint(snapshot.pepper, "acme", MAIL)
    assert mail == Evidence("pii.email", "request", "email", "user", 2, AT, AT + len(MAIL), 1.0, mark)
    assert (secret.detector, secret.score, secret.last) == ("base64>github-token", 0.9877, "")
    assert (whole.start, whole.end, whole.value) == (0, 0, "")
    assert not [part for part in (MAIL, SECRET, MAIL[-4:], SECRET[-4:]) if part in repr(witness.listed)]


def test_the_same_value_is_known_again_in_its_tenant_only(compiled: Compiled) -> None:
    one, other = noted(compiled, 'content = "digest"'), noted(compiled, 'content = "digest"', "other")
    assert one.listed == noted(compiled, 'content = "digest"').listed
    assert one.listed[0].value != other.listed[0].value


def test_where_nothing_is_to_be_kept_there_is_no_hash(compiled: Compiled) -> None:
    assert {each.value for each in noted(compiled, 'content = "none"').listed} == {""}


def test_the_last_characters_of_long_values_where_they_are_wanted(compiled: Compiled) -> None:
    witness = noted(compiled, "last4 = true")
    assert [each.last for each in witness.listed] == [MAIL[-4:], SECRET[-4:], ""]
    witness.note(Finding("pii.date-of-birth", 0, 0, 11, "birth"), "12 May 1980", "user")
    assert witness.listed[-1].last == ""


def test_it_is_bounded(compiled: Compiled) -> None:
    witness = noted(compiled, "findings = 1")
    assert (len(witness.listed), witness.unlisted) == (1, 2)
    assert noted(compiled, "findings = 0").unlisted == 3


def test_a_place_in_a_longer_text(compiled: Compiled) -> None:
    witness = Witness(compiled(), "acme", "reply")
    witness.note(Finding("pii.email", 0, 1, 4, "email"), "xa@b", "assistant", at=100)
    assert (witness.listed[0].start, witness.listed[0].end, witness.listed[0].text) == (101, 104, -1)
