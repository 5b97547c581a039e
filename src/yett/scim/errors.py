"""What a SCIM client is told when it erred (RFC 7644, section 3.12)."""

from __future__ import annotations

from yett.errors import YettError

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(YettError):
    """`kind` is the scimType, "" where the RFC has none for the status."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind

    def document(self) -> dict[str, object]:
        """The body of the answer. The status is a text there."""
        said: dict[str, object] = {"schemas": [ERROR], "status": str(self.status), "detail": str(self)}
        return said | ({"scimType": self.kind} if self.kind else {})


def invalid(kind: str, detail: str) -> ScimError:
    """invalidFilter, invalidPath, invalidSyntax, invalidValue, mutability, noTarget, tooMany."""
    return ScimError(400, kind, detail)
