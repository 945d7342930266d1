"""The house: who may import whom, no circles, and no file or class that is two things."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from bubbybot_freqtrade.seams.reading import parsed
from tests.places import ROOT

PACKAGE = ROOT / "bubbybot_freqtrade"
NAME = PACKAGE.name

MOST_LINES, MOST_LINES_OF_A_CLASS = 500, 300

# At the root, and open to every room: what freqtrade's and ccxt's inside was seen to be.
OPEN_TO_ALL = {"seams"}

# What a room may know. The rooms not named here are programs around all of them.
KNOWS: dict[str, set[str]] = {
    "analyzers": set(),
    "signals": {"analyzers", "settings"},
    "risk": {"analyzers", "signals", "settings"},
    "learning": {"signals", "risk", "settings"},
    "strategy": {"analyzers", "signals", "risk", "learning", "blofin", "settings"},
    "blofin": set(),
    "sandbox": set(),
    "seams": set(),
    "settings": set(),
}


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = [NAME, *file.relative_to(PACKAGE).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = parsed(file)
    return found


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, also inside functions, but what stands under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from running(node)


def imports(tree: ast.Module) -> Iterator[str]:
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in modules() else node.module


@cache
def arrows() -> dict[str, set[str]]:
    return {
        name: {one for one in imports(tree) if one in modules() and one != name}
        for name, tree in modules().items()
    }


def room(module: str) -> str:
    return module.removeprefix(f"{NAME}.").partition(".")[0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(arrows()) == []


@pytest.mark.parametrize("outer", ["blofin", "sandbox"])
def test_no_circle_of_the_rooms_inside_a_room(outer: str) -> None:
    graph: dict[str, set[str]] = {}
    for module, known in arrows().items():
        if room(module) == outer:
            inner = graph.setdefault(_inner(module), set())
            inner |= {_inner(one) for one in known if room(one) == outer} - {_inner(module)}
    assert circle(graph) == []


def _inner(module: str) -> str:
    """A folder inside a room, or a file of its own."""
    return ".".join(module.split(".")[:3])


def test_rooms_know_only_those_before_them() -> None:
    wrong = [
        f"{module} imports {known}"
        for module, all_known in arrows().items()
        for known in all_known
        if room(known) not in {room(module), *OPEN_TO_ALL}
        and room(known) not in KNOWS.get(room(module), {room(known)})
    ]
    assert wrong == []


def test_of_blofin_the_strategy_knows_the_bracket_alone() -> None:
    known = {
        one
        for module, all_known in arrows().items()
        if room(module) == "strategy"
        for one in all_known
    }
    assert {one for one in known if room(one) == "blofin"} == {f"{NAME}.blofin.bracket"}


def test_sandbox_and_analyzers_know_nothing_of_freqtrade() -> None:
    knowing = [
        name
        for name, tree in modules().items()
        if room(name) in ("sandbox", "analyzers")
        and any(one.partition(".")[0] == "freqtrade" for one in imports(tree))
    ]
    assert knowing == []


def test_no_file_is_too_long() -> None:
    long = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == set()


def test_no_class_is_too_long() -> None:
    long = {
        f"{file.relative_to(PACKAGE)} {node.name}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ClassDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_CLASS
    }
    assert long == set()


def test_the_strategys_callbacks_are_a_page() -> None:
    file = PACKAGE / "strategy" / "bubbybot.py"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300
