"""Obligations become what has to be done."""

from __future__ import annotations

from yett.model.decision import Obligation
from yett.stages.duties import NONE, Duties, duties_of


def test_duties_are_sorted_by_what_has_to_be_done() -> None:
    assert duties_of(()) is NONE
    assert duties_of(
        [
            Obligation("cap", "max_tokens=70"),
            Obligation("cap", "max_tokens=7"),
            Obligation("redact", "pii"),
            Obligation("redact", "secret"),
            Obligation("route", "on-prem"),
            Obligation("tag", "seen"),
            Obligation("tokenize", "pii.card"),
            Obligation("surrogate", "pii.email"),
            Obligation("withhold", "pii.iban"),
            Obligation("restore", "pii.email@send_mail"),
            Obligation("restore", "pii.phone@*"),
        ]
    ) == Duties(
        redact=("pii", "secret"),
        tokenize=("pii.card",),
        surrogate=("pii.email",),
        withhold=("pii.iban",),
        restore=(("pii.email", "send_mail"), ("pii.phone", "*")),
        cap=7,
        tags=("seen",),
        reversible=True,
    )
