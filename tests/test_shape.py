"""The shape of the source: what lint cannot say about cycles, doors, state and the places where things belong."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType

import pytest

from yett.cli import COMMANDS

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "yett"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(), str(path)) for path in FILES}

# Where any exception may be caught: what passes these doors ends as a refusal, a closed connection or a log line.
DOORS = {"pipeline.py", "edge/listener.py", "edge/tasks.py"}
# What a module keeps while the process lives; everything else is in a Snapshot or in an object that somebody owns.
STATE = {("edge/tasks.py", "_alive")}
# The layers that decide. They may not read a clock in any disguise; import-linter keeps the modules out, this the calls.
PURE = (
    "model",
    "detectors",
    "dialects",
    "providers",
    "guardrails",
    "identity",
    "policy",
    "redaction",
    "scim",
    "stages",
)
CLOCK_CALLS = {"now", "utcnow", "today"}
# An auditor copies and reads the verifier alone, so it is one file, signature check included.
ONE_FILE = {"verify.py"}
# The readable twin that the shared ledger is tested against.
WITHOUT_CALLER = {"yett.stores.memory_ledger"}
# One file per item and one list of them, `shelf.py`. Named here is the machinery that items share.
SHELVES = {
    "providers": {"kind"},
    "guardrails": {"categories", "kind", "opinion", "plan", "select", "sigv4", "transformer"},
    "detectors": {
        "anatomy",
        "captions",
        "confusables",
        "custom",
        "decode",
        "detector",
        "disguise",
        "engine",
        "entropy",
        "expression",
        "file_type",
        "inspector",
        "joined",
        "locate",
        "mask",
        "natural",
        "normalise",
        "pattern",
        "quality",
        "resolve",
        "sieve",
        "size",
        "spaced",
        "spelling",
        "suppress",
        "taxonomy",
        "topics",
        "traits",
        "view",
        "vocabulary",
        "window",
    },
}
# Tests of whole calls, of ports and of the tree itself have no single source file to mirror.
NOT_MIRRORS = {"scenes", "contracts", "wire", "clients", "fuzz"}
EXTRA_TESTS = {
    "test_choose_python.py",  # scripts/choose_python.py
    "test_shape.py",
    "test_docs.py",
    "test_accuracy.py",
    "test_bench.py",
    "test_no_bypass.py",
    "edge/test_bad_input.py",
    "detectors/secrets/test_tokens.py",  # every table of shapes in detectors/secrets at once
    "policy/test_many_policies.py",
    "stages/test_tenants.py",  # the same traffic as two tenants, through the whole pipeline
    "stages/test_facts.py",  # from texts and scores to policy, through the whole pipeline
}


def name(path: Path) -> str:
    """`edge/tasks.py`"""
    return path.relative_to(SOURCE).as_posix()


def module(path: Path) -> str:
    """`yett.edge.tasks`; a package's `__init__.py` is the package itself."""
    parts = ("yett", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path) for path in FILES}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module of Yett that `tree` imports, at the top or hidden in a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES
            yield from inner or {node.module}


def offenders(pick: type[ast.AST] | UnionType) -> Iterator[tuple[Path, ast.AST]]:
    for path, tree in TREES.items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, pick))


def places(found: Iterator[tuple[Path, ast.AST]]) -> list[str]:
    return [f"{name(path)}:{getattr(node, 'lineno', 0)}" for path, node in found]


def test_imports_are_acyclic_even_inside_functions() -> None:
    graph = {module(path): set(imported(tree)) - {module(path)} for path, tree in TREES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_only_commands_import_inside_functions() -> None:
    """`yett --help` must not load the server. Anywhere else an import inside a function hides a dependency."""
    hidden = [
        f"{name(path)}:{inner.lineno}"
        for path, function in offenders(ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom) and not name(path).startswith("cli/")
    ]
    assert hidden == []


def test_nothing_is_global() -> None:
    assert places(offenders(ast.Global)) == []


def test_modules_keep_no_state() -> None:
    kept = set()
    for path, tree in TREES.items():
        for node in tree.body:
            value = getattr(node, "value", None)
            empty = isinstance(value, ast.List | ast.Dict | ast.Set) and not ast.unparse(value).strip("[]{}")
            made = isinstance(value, ast.Call) and not value.args and ast.unparse(value.func) in {"set", "dict", "list"}
            if isinstance(node, ast.Assign | ast.AnnAssign) and (empty or made):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                kept.add((name(path), ast.unparse(target)))
    assert kept <= STATE


def test_every_exception_is_caught_at_three_doors_only() -> None:
    def broad(handler: ast.AST) -> bool:
        assert isinstance(handler, ast.ExceptHandler)
        if isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None:
            return False  # cleans up and lets it pass
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in kinds)

    found = [(path, node) for path, node in offenders(ast.ExceptHandler) if broad(node) and name(path) not in DOORS]
    found += [
        (path, node)
        for path, node in offenders(ast.Call)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("suppress")
        and any(ast.unparse(kind) in {"Exception", "BaseException"} for kind in node.args)
    ]
    assert places(iter(found)) == []


def test_only_the_composition_root_reads_the_environment() -> None:
    reads = [
        f"{name(path)}:{getattr(node, 'lineno', 0)}"
        for path, node in offenders(ast.Attribute | ast.ImportFrom)
        if not name(path).startswith("cli/")
        and (
            (isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"})
            or (isinstance(node, ast.ImportFrom) and node.module == "os")
        )
    ]
    assert reads == []


def test_the_core_reads_no_clock() -> None:
    reads = [
        f"{name(path)}:{node.lineno}"
        for path, node in offenders(ast.Call)
        if isinstance(node, ast.Call)
        and name(path).startswith(PURE)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_CALLS
    ]
    assert reads == []


def test_every_stage_is_on_the_way_of_a_call() -> None:
    stages = {module(path) for path in FILES if name(path).startswith("stages/")} - {"yett.stages"}
    assert stages - reachable("yett.pipeline") == set()


def test_nothing_is_left_that_nobody_uses() -> None:
    processes = ("yett.verify", "yett.documents.__main__")  # run by themselves
    used = reachable(*processes, *(module(path) for path in FILES if name(path).startswith("cli/")))
    packages = {module(path) for path in FILES if path.name == "__init__.py"}
    assert MODULES - used - packages == WITHOUT_CALLER


def reachable(*roots: str) -> set[str]:
    graph = {module(path): set(imported(tree)) for path, tree in TREES.items()}
    found, waiting = set(roots), list(roots)
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_lists_its_items_and_they_do_not_know_each_other(shelf: str) -> None:
    items = {path.stem for path in (SOURCE / shelf).glob("*.py")} - SHELVES[shelf] - {"__init__", "shelf"}
    listed = set(imported(TREES[SOURCE / shelf / "shelf.py"]))
    assert {f"yett.{shelf}.{item}" for item in items} - listed == set(), "an item is a file and a line in shelf.py"
    for item in items:
        others = {
            other for other in imported(TREES[SOURCE / shelf / f"{item}.py"]) if other.startswith(f"yett.{shelf}.")
        }
        assert others <= {f"yett.{shelf}.{part}" for part in SHELVES[shelf]}


def test_every_command_is_listed() -> None:
    defined = {
        path.stem
        for path, tree in TREES.items()
        if name(path).startswith("cli/")
        and any(isinstance(node, ast.FunctionDef) and node.name == "command" for node in tree.body)
    }
    assert defined == {COMMANDS[command][0].rpartition(".")[2] for command in COMMANDS}


def test_the_pipeline_fits_a_reading() -> None:
    """The order of a call is read in one go, or it is not read."""
    assert len((SOURCE / "pipeline.py").read_text().splitlines()) < 200


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_has_one_reason_and_says_it(path: Path) -> None:
    assert ast.get_docstring(TREES[path]), f"{name(path)} does not say why it exists"
    assert len(path.read_text().splitlines()) <= 500 or name(path) in ONE_FILE, f"{name(path)} holds a second file"
    assert not path.stem.endswith(("_manager", "_helper", "_helpers", "_utils", "_util")), f"{name(path)} names nothing"


def test_every_test_mirrors_a_source_file() -> None:
    """`policy/test_load.py` for `policy/load.py`, or `test_policy_load.py` where the bare name would be taken."""
    astray = []
    for path in sorted(TESTS.rglob("test_*.py")):
        where = path.relative_to(TESTS)
        if where.parts[0] in NOT_MIRRORS or where.as_posix() in EXTRA_TESTS:
            continue
        bare = where.stem.removeprefix("test_")
        stems = {bare, bare.removeprefix(f"{where.parent.name}_")}
        folder = SOURCE / where.parent
        if not any((folder / f"{stem}.py").exists() or (folder / stem / "__init__.py").exists() for stem in stems):
            astray.append(where.as_posix())
    assert astray == []


def test_the_exceptions_above_are_all_needed() -> None:
    assert [door for door in DOORS if not (SOURCE / door).exists()] == []
    assert [extra for extra in EXTRA_TESTS if not (TESTS / extra).exists()] == []
    assert {file for file, _ in STATE} <= {name(path) for path in FILES}
