"""The engine is pure: what it is given is all that it knows."""

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[2] / "repricer"
MODULES = sorted(ROOM.rglob("*.py"))
#: Clocks, chance, files, sockets, talk: none of them has a place in a decision.
IMPURE = {
    "asyncio", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket",
    "subprocess", "sys", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
CALLS = {"now", "today", "utcnow", "open", "print", "input", "float", "hash", "id"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_touches_nothing_outside(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert not imported & IMPURE
    assert not called & CALLS


def test_only_the_tables_beside_the_code_are_read() -> None:
    readers = [path for path in MODULES if "importlib.resources" in path.read_text("utf-8")]
    assert [path.parent.name for path in readers] == ["tariffs"]
