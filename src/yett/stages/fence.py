"""fence: whether a caller who is who it says has been revoked meanwhile, alone or with everybody of its tenant or team.

Asked when a call begins, when its task is known, and several times a second while it runs.
"""

from __future__ import annotations

from yett.errors import Refusal
from yett.model.caller import Credential
from yett.model.fence import Fences


def check(fences: Fences, credential: Credential, now: float, task: str = "") -> None:
    """Raises Refusal (fenced, session_revoked) when a credential, or the `task` that it is used for, is fenced off. The refusal
    carries the fence's label for the record; the caller is told what kind of thing was revoked, and no reason."""
    if not fences:
        return
    ended: Refusal | None = None
    for name in (*credential.fences, task):
        for fence in fences.get(name, ()):
            if not fence.holds(credential.issued, now):
                continue
            kind = name.partition(":")[0]
            if not fence.sessions:
                refusal = Refusal("fenced", f"Access was revoked for this {kind}.")
                refusal.fence = fence.label
                raise refusal
            if ended is None:
                ended = Refusal("session_revoked", f"The sessions of this {kind} were ended; sign in again.")
                ended.fence = fence.label
    if ended is not None:  # told only where signing in again would help
        raise ended
