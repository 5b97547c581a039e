"""Detectors that a configuration brings: every mistake with its line, examples that are tried, packages that are named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from yett.config.inspection import detectors
from yett.config.reader import parse
from yett.detectors.engine import Scanner
from yett.detectors.shelf import SHELF
from yett.errors import Mistake

BADGE = r"""
[inspection.detectors.acme-badge]
pattern = 'B-\d{6}'
kind = "pii.badge"
keywords = ["badge", "Ausweis"]
matches = ["my badge is B-123456", "AUSWEIS B-123456"]
not_matches = ["order B-123456", "badge B-12345"]
"""


def load(text: str) -> tuple[list[str], list[str], Scanner]:
    """The ids of the detectors that are not on the shelf, the mistakes, and a scanner of
    those detectors."""
    reading = parse(text, Path("yett.toml"), {})
    mistakes: list[Mistake] = list(reading.mistakes)
    found = detectors(reading, mistakes)
    own = [each for each in found if each not in SHELF]
    return [each.id for each in own], [str(mistake) for mistake in mistakes], Scanner(own)


def test_a_detector_of_ones_own() -> None:
    own, mistakes, scanner = load(BADGE)
    assert (own, mistakes) == (["acme-badge"], [])
    assert [f.kind for f in scanner.scan_text("badge B-123456")] == ["pii.badge"]


def test_it_stands_before_what_ships_and_can_be_disabled_like_it() -> None:
    text = "[inspection.detectors.ours]\npattern = 'ghp_\\w{36}'\nkind = \"secret.ours\"\n"
    _, mistakes, _ = load(text)
    scanner = Scanner(detectors(parse(text, Path("yett.toml"), {}), []))
    token = "ghp_" + "Zk3qT9vLw2Xr7NbYc5Md8HsFj4Gp6KaQe1Ru"
    assert (mistakes, [f.kind for f in scanner.scan_text(token)]) == ([], ["secret.ours"])
    for name in ("ours", "secret.ours"):
        assert load(f'[inspection]\ndisabled = ["{name}"]\n{text}')[:2] == ([], [])


def test_a_kind_is_custom_unless_it_is_given() -> None:
    _, mistakes, scanner = load("[inspection.detectors.zeus]\npattern = 'project (zeus)'\n")
    assert (mistakes, [f.kind for f in scanner.scan_text("the project zeus")]) == ([], ["custom.zeus"])


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ("[inspection.detectors.Acme]\npattern = 'abc'", "2: inspection.detectors.Acme: a detector's name consists of"),
        ("[inspection.detectors.email]\npattern = 'abc'", "2: inspection.detectors.email: there is a detector of this"),
        ("[inspection.detectors.a]", "2: inspection.detectors.a.pattern: is missing"),
        ("[inspection.detectors.a]\npattern = ''", "3: inspection.detectors.a.pattern: must not be empty"),
        ("[inspection.detectors.a]\npattern = 'ab+'", '3: inspection.detectors.a.pattern: "+" has no upper bound'),
        ("[inspection.detectors.a]\npattern = 'abc'\nkind = 'Secret'", '4: inspection.detectors.a.kind: "Secret" is no'),
        ("[inspection.detectors.a]\npattern = 'abc'\nkeywords = ['a', ' ']", "4: inspection.detectors.a.keywords[1]: a"),
        ("[inspection.detectors.a]\npattern = 'abc'\nwithin = 100", "4: inspection.detectors.a.within: must be at most"),
        (
            "[inspection.detectors.a]\npattern = 'abc'\nvalidator = 'luhm'",
            '4: inspection.detectors.a.validator: no validator "luhm"; did you mean "luhn"?',
        ),
        (
            "[inspection.detectors.a]\npattern = 'abc'\nmatches = [\n'abc',\n'abd']",
            "6: inspection.detectors.a.matches[1]: nothing is found in this text",
        ),
        (
            "[inspection.detectors.a]\npattern = 'abc'\nnot_matches = ['x abc x']",
            "4: inspection.detectors.a.not_matches[0]: something is found in this text",
        ),
        ("[inspection]\nplugins = ['acme:ALL']", '3: inspection.plugins[0]: no installed package declares "acme:ALL" as'),
    ],
)  # fmt: skip
def test_mistakes(lines: str, mistake: str) -> None:
    _, mistakes, _ = load(f"\n{lines}\n")
    assert any(each.startswith(f"yett.toml:{mistake}") for each in mistakes), mistakes


def test_the_example_of_the_manual_is_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs/detection.md").read_text()
    (example,) = re.findall(r"^```toml\n(\[inspection\.detectors\..*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    own, mistakes, scanner = load(example)
    assert (own, mistakes) == (["acme-badge", "acme-customer", "project-zeus"], [])
    text = "Ausweis: B-123456 of CUST12345678903 in Project Zeus, not CUST12345678901 or B-999999"
    found = [(f.kind, text[f.start : f.end]) for f in scanner.scan_text(text)]
    assert found == [
        ("pii.badge", "B-123456"),
        ("custom.acme-customer", "12345678903"),
        ("secret.project-name", "Zeus"),
    ]


# ---- packages -------------------------------------------------------------------------------------------------------

PACKAGE = r"""
from yett.detectors.detector import EDGE, Detector

def _of(id, kind="secret.acme", pattern=EDGE + "(acme_[0-9]{6})" + EDGE):
    return Detector(id=id, kind=kind, pattern=pattern)

ONE = _of("acme-token")
ALL = (ONE, _of("acme-other", pattern=EDGE + "(acmex_[0-9]{6})" + EDGE))
NOTHING = 5
TWICE = (ONE, ONE)
TAKEN = _of("email")
SHOUTED = _of("ACME")
KIND = _of("acme", "secret")
PATTERN = _of("acme", pattern="(a)(b)")
FLAG = _of("acme", pattern="(?U)" + EDGE + "(acme_[0-9]{6})" + EDGE)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution as an installer leaves it behind."""
    names = "ONE ALL NOTHING TWICE TAKEN SHOUTED KIND PATTERN FLAG MISSING".split()
    info = tmp_path / "acme_yett-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-yett\nVersion: 1.0\n")
    declared = [f"{name.lower()} = acme_yett_detectors:{name}" for name in names]
    broken = "broken = acme_yett_broken:ALL"
    (info / "entry_points.txt").write_text("\n".join(["[yett.detectors]", *declared, broken]) + "\n")
    (tmp_path / "acme_yett_detectors.py").write_text(PACKAGE)
    (tmp_path / "acme_yett_broken.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_yett_detectors", raising=False)
    return tmp_path


def plugin(name: str, module: str = "acme_yett_detectors") -> str:
    return f'[inspection]\nplugins = ["{module}:{name}"]\n'


def test_a_package_that_is_named_is_loaded(package: Path) -> None:
    own, mistakes, scanner = load(plugin("ALL"))
    assert (own, mistakes) == (["acme-token", "acme-other"], [])
    assert [f.detector for f in scanner.scan_text("acmex_123456 acme_123456")] == ["acme-other", "acme-token"]
    assert load(plugin("ONE"))[0] == ["acme-token"]


def test_a_package_that_is_not_named_is_not_even_imported(package: Path) -> None:
    assert load(BADGE)[0] == ["acme-badge"]
    assert "acme_yett_detectors" not in sys.modules


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MISSING", "cannot be loaded: AttributeError"),
        ("NOTHING", "is neither a Detector nor a sequence of them"),
        ("TWICE", 'the id "acme-token" is taken'),
        ("TAKEN", 'the id "email" is taken'),
        ("SHOUTED", 'the id "ACME" is not made of'),
        ("KIND", 'detector acme: "secret" is no kind'),
        ("PATTERN", "detector acme: the pattern must have exactly one group"),
        ("PATERN", 'did you mean "acme_yett_detectors:PATTERN"?'),
    ],
)
def test_a_package_that_is_not_what_it_should_be(package: Path, name: str, reason: str) -> None:
    own, (mistake,), _ = load(plugin(name))
    assert own == []
    assert mistake.startswith("yett.toml:2: inspection.plugins[0]: ")
    assert reason in mistake


def test_what_the_engine_refuses_is_said_of_the_one_that_it_refuses(package: Path) -> None:
    """A flag that RE2 knows and Hyperscan does not."""
    own, mistakes, _ = load(plugin("FLAG") + BADGE)
    assert mistakes == ["yett.toml:2: inspection.plugins: the engine does not take the pattern of acme"]
    assert own == ["acme-badge"]


def test_a_package_that_cannot_be_imported(package: Path) -> None:
    assert "ModuleNotFoundError: No module named 'no_such_module'" in load(plugin("ALL", "acme_yett_broken"))[1][0]


def test_a_name_is_declared_by_a_package_or_nothing_is_loaded(package: Path) -> None:
    """A module that could be imported is not, unless its distribution says that it is one."""
    (package / "loose.py").write_text(PACKAGE)
    assert "no installed package declares" in load(plugin("ALL", "loose"))[1][0]
    assert "loose" not in sys.modules


def test_ids_of_packages_and_of_the_file_are_one_space(package: Path) -> None:
    text = plugin("ONE") + "[inspection.detectors.acme-token]\npattern = 'abc'\n"
    assert "there is a detector of this name already" in load(text)[1][0]
