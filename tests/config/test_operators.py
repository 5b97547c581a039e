"""What decides about a sign-in and a session, from yett.toml; and by which fences an operator is kept out."""

from __future__ import annotations

from pathlib import Path

from yett.config.operators import other_fences, own_fence, rules
from yett.config.reader import parse
from yett.config.reading import Reading
from yett.model.operator import Identity, Role

IDP = "https://idp.example/"
WHOLE = f"""[operators]
issuer = "{IDP}"
client_id = "console"
client_secret = "env:SECRET"
url = "https://yett.example/"
audience = "api"
roles = [{{ value = "chiefs", role = "admin" }}]
"""


def reading(text: str) -> Reading:
    found = parse(text, Path("yett.toml"), {"SECRET": "s3cret"})
    assert found.mistakes == ()
    return found


def test_with_a_provider() -> None:
    found = rules(reading(WHOLE))
    assert (found.origin, found.hosts, found.secure) == ("https://yett.example", {"yett.example"}, True)
    assert found.mapping[0].role == Role("admin")
    assert found.secret is not None
    assert "s3cret" not in repr(found)
    assert found.sign_in is not None
    assert found.access is not None
    assert found.sign_in.source.url == "https://idp.example/.well-known/openid-configuration"
    assert (found.sign_in.audiences, found.access.audiences) == ({"console"}, {"api"})
    assert found.issuers == (found.sign_in, found.access)
    assert rules(reading(WHOLE.replace('audience = "api"\n', ""))).access is None


def test_without_one_there_is_this_machine() -> None:
    found = rules(reading(""))
    assert (found.origin, found.secure, found.issuers) == ("http://127.0.0.1:8485", False, ())
    assert found.hosts == {"127.0.0.1:8485", "localhost:8485", "[::1]:8485"}
    six = rules(reading('[admin]\nhost = "::1"\nport = 9000'))
    assert six.origin == "http://[::1]:9000"
    anywhere = rules(reading('[admin]\nhost = "0.0.0.0"\ntoken = "env:SECRET"'))
    assert (anywhere.origin, anywhere.hosts) == (found.origin, found.hosts), "nothing is answered to other machines"


def test_the_fences_of_an_operator() -> None:
    tables = "".join(
        f'[identity.issuers.{name}]\nissuer = "{url}"\naudiences = ["y"]\nteam = "r"\n{more}'
        for name, url, more in (
            ("corp", IDP, 'tenant_claim = "org"\ntenants = ["acme", "umbra"]\n'),
            ("other", "https://other.example", ""),
        )
    )
    settings = reading(f"[teams.r]\n{tables}").settings
    assert own_fence(Identity(IDP, "ada")) == "user:default/operators/ada"
    assert other_fences(Identity(IDP, "ada", email="ada@acme.example"), settings) == (
        "user:default/ada",
        "user:default/ada@acme.example",
        "user:acme/corp/ada",
        "user:umbra/corp/ada",
    )
    assert other_fences(Identity("https://none.example", "ada"), settings) == ("user:default/ada",)
