"""The documentation is checked against the code: what exists is described, what is described works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from yett.cli import detectors, main
from yett.config.settings import Settings
from yett.detectors.traits import VOCABULARY
from yett.edge.metrics import COUNTERS, GAUGES, HISTOGRAMS
from yett.errors import CODES
from yett.policy.engine import PolicyEngine

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "yett"
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text() for page in PAGES}
MANUAL = "\n".join(text for page, text in TEXTS.items() if page.name != "CHANGELOG.md")

# What `console` blocks in the documentation may run: they finish by themselves and touch nothing outside their folder.
SAFE = (
    "yett --",
    "yett init",
    "yett check",
    "yett doctor",
    "yett schema",
    "yett policy check",
    "yett policy test",
    "yett keys",
    "yett credentials",
    "yett drill",
    "yett revoke",
    "yett fences",
    "yett audit",
    "yett operators",
    "yett scim",
)


def sections(text: str, mark: str) -> dict[str, str]:
    """{title: body} of the headings of one level."""
    parts = re.split(rf"^{mark} (.+)$", text, flags=re.MULTILINE)
    return {title.strip("` "): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


# ---- errors ---------------------------------------------------------------------------------------------------------

ERRORS = sections(re.sub(r"^## .*$", "", TEXTS[ROOT / "docs" / "errors.md"], flags=re.MULTILINE), "###")


def test_every_error_code_has_its_section_in_the_order_of_the_table() -> None:
    assert list(ERRORS) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_section_gives_the_facts_the_meaning_and_what_to_do(code: str) -> None:
    row = CODES[code]
    retry = "yes" if row.retry else "no"
    facts = f"*HTTP {row.status} · type `{row.type}` · fault: {row.fault} · retry can help: {retry}*"
    text = " ".join(ERRORS[code].split())
    assert text.startswith(f"{facts} {row.meaning} ")
    assert len(text) > len(facts) + len(row.meaning) + 20, "says nothing about what to do"


# ---- commands -------------------------------------------------------------------------------------------------------


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            if not inner.hidden:
                yield from commands(inner, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(main, "yett"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_in_the_manual_and_says_what_it_does(path: str) -> None:
    assert COMMANDS[path].get_short_help_str(), f"`{path} --help` says nothing"
    group, _, last = path.rpartition(" ")
    listed = re.search(rf"{re.escape(group)} (?:[a-z]+ \| )*{re.escape(last)}\b", MANUAL)  # `yett audit tail | show`
    assert listed, f"`{path}` is in no page of the manual"


def test_every_command_in_the_manual_exists() -> None:
    known = {path.split(" ", 2)[1] for path in COMMANDS}
    written = set(re.findall(r"(?:^\$ |`|^)yett ([a-z]+)", MANUAL, flags=re.MULTILINE))
    assert written <= known


def blocks() -> Iterator[tuple[str, list[str]]]:
    for page, text in TEXTS.items():
        for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            lines = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
            yield f"{page.name}: {lines[0]}", lines


BLOCKS = dict(blocks())


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_pages_show_works(block: str, tmp_path: Path) -> None:
    """Each block is a session of its own, in an empty folder."""
    yett = Path(sys.executable).parent / "yett"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-of-a-provider"}
    for line in BLOCKS[block]:
        assert line.startswith(SAFE), f"{line!r} is not among what may be run; mark the block as sh instead"
        words = shlex.split(line)
        done = subprocess.run(
            [yett, *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"


# ---- policies -------------------------------------------------------------------------------------------------------

POLICIES = [
    (page.name, text)
    for page, whole in TEXTS.items()
    for text in re.findall(r"^```cedar\n(.*?)^```", whole, flags=re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("page", "text"), POLICIES)
def test_policies_that_pages_show_come_into_force(page: str, text: str) -> None:
    files = {page: text, "grant.cedar": '@id("all-that-is-not-bound") permit (principal, action, resource);'}
    assert len(PolicyEngine.load(files, {"code": VOCABULARY["code"], "files": VOCABULARY["files"]}).policies) >= 2


# ---- metrics --------------------------------------------------------------------------------------------------------

METRICS = {f"{name}_total": labels for name, (_, labels) in COUNTERS.items()}
METRICS |= {name: labels for name, (_, labels, _) in HISTOGRAMS.items()}
METRICS |= {name: labels for name, (_, labels) in GAUGES.items()}


def test_every_metric_is_described_with_its_labels() -> None:
    rows = re.findall(
        r"^\| `(yett_[a-z_]+)` \| ([a-z, ]*?) ?\| .{10,} \|$", TEXTS[ROOT / "docs" / "metrics.md"], re.MULTILINE
    )
    assert dict(rows) == {name: ", ".join(labels) for name, labels in METRICS.items()}


# ---- settings -------------------------------------------------------------------------------------------------------


def setting_paths(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for setting in msgspec.structs.fields(kind):
        path = f"{prefix}{setting.name}"
        yield path
        inner = getattr(setting, "default", None)
        if isinstance(inner, msgspec.Struct):
            yield from setting_paths(type(inner), f"{path}.")


SETTINGS = set(setting_paths(Settings))


def test_every_setting_that_a_page_names_exists() -> None:
    """`gateway.max_body_bytes`; docs/configuration.md itself is generated from the settings."""
    tables = "|".join(path for path in SETTINGS if any(other.startswith(f"{path}.") for other in SETTINGS))
    named = set(re.findall(rf"`((?:{tables})\.[a-z_]+)\b", MANUAL))
    assert named - SETTINGS == set()
    assert len(named) > 10


# ---- detectors ------------------------------------------------------------------------------------------------------


def test_every_detector_is_on_the_page() -> None:
    """When this fails: yett detectors list --markdown > docs/detectors.md"""
    page = TEXTS[ROOT / "docs" / "detectors.md"]
    result = CliRunner().invoke(detectors.command, ["list", "--markdown"])
    assert page == result.stdout


# ---- names on the wire ----------------------------------------------------------------------------------------------


def names(pattern: str) -> set[str]:
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        found |= set(re.findall(pattern, path.read_text()))
    return found


def test_every_header_is_described() -> None:
    written = set(re.findall(r"`(x-yett-[a-z-]+[a-z])`", TEXTS[ROOT / "docs" / "headers.md"]))
    assert names(r"""["'](x-yett-[a-z-]+[a-z])["']""") == written


# ---- the map --------------------------------------------------------------------------------------------------------

MAP = TEXTS[ROOT / "docs" / "life-of-a-call.md"]


def test_the_map_names_every_stage_and_nothing_that_is_gone() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*(?:[a-z0-9_]+\.py|[a-z_]+/))`", MAP)) - {"src/yett/", "tests/test_shape.py"}
    assert [path for path in sorted(named) if not (SOURCE / path).exists()] == []
    stages = {f"stages/{path.name}" for path in (SOURCE / "stages").glob("*.py") if path.name != "__init__.py"}
    assert stages - named == set()


def test_the_map_has_the_layers_that_are_held() -> None:
    (held,) = re.findall(r"^layers =\n((?: {4}.+\n)+)", (ROOT / ".importlinter").read_text(), flags=re.MULTILINE)
    layers = [re.findall(r"(?<!\()\b[a-z]+\b(?!\))", line) for line in held.splitlines()]
    (drawn,) = re.findall(r"^```text\n(cli .*?)^```", MAP, flags=re.MULTILINE | re.DOTALL)
    assert [line.split("   ")[0].split(" | ") for line in drawn.splitlines()] == layers


# ---- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if not link.startswith(("http://", "https://", "#")):
            path, _, anchor = link.partition("#")
            target = page.parent / path
            assert target.exists(), f"{page.name} links to {link}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", target.read_text(), flags=re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
