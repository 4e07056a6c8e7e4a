"""What everyone who builds here keeps to, read off the code itself."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy import Spider
from scrapy.utils.project import get_project_settings

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "domain", "repricer", "partners", "storage", "kaspi_crawler", "pipelines", "dashboard",
    "sandbox",
)  # fmt: skip
SETTINGS = get_project_settings()
STAGES: dict[str, int] = SETTINGS.getdict("ITEM_PIPELINES")


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules("kaspi_crawler/spiders"), ids=named)
def test_a_spider_is_called_like_its_file(path: Path) -> None:
    if path.stem == "__init__":
        return
    module = importlib.import_module(f"kaspi_crawler.spiders.{path.stem}")
    spiders = [
        thing
        for _, thing in inspect.getmembers(module, inspect.isclass)
        if issubclass(thing, Spider) and thing.__module__ == module.__name__
    ]
    assert [spider.name for spider in spiders] == [path.stem]
    assert "\nArguments\n" in (inspect.getdoc(spiders[0]) or "")


@pytest.mark.parametrize("path", STAGES)
def test_a_stage_says_its_number(path: str) -> None:
    module = importlib.import_module(path.rpartition(".")[0])
    assert (module.__doc__ or "").startswith(f"Stage {STAGES[path]}: ")


def test_every_stage_is_listed_once() -> None:
    written = {path.stem for path in modules("pipelines") if "def process_item" in path.read_text()}
    listed = [path.split(".")[1] for path in STAGES]
    assert sorted(listed) == sorted(written)
    assert len(set(STAGES.values())) == len(STAGES)


def floats_made_in(path: Path) -> Iterator[int]:
    """Lines that declare a float or turn something into one (asking whether it is one may be)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        said: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            said = [node.func]
        elif isinstance(node, ast.AnnAssign | ast.arg):
            said = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = [node.returns]
        for part in filter(None, said):
            if any(isinstance(word, ast.Name) and word.id == "float" for word in ast.walk(part)):
                yield part.lineno


@pytest.mark.parametrize(
    "path", modules("domain", "repricer", "partners", "kaspi_crawler/pages", "pipelines"), ids=named
)
def test_no_float_comes_near_money(path: Path) -> None:
    assert not list(floats_made_in(path))


def test_no_column_is_a_float() -> None:
    forms = re.compile(r"\b(real|float\d?|double precision|money)\b", re.IGNORECASE)
    assert not [path for path in modules("storage/migrations") if forms.search(path.read_text())]


LEGACY = {
    "start_requests": r"def start_requests\b",
    "a spider argument": r"def (process_item|open_spider|close_spider|process_request|"
    r"process_response)\(self(, \w+[^,)]*)*, spider\b",
    "callbacks inlined": r"@(defer\.)?inlineCallbacks",
}


@pytest.mark.parametrize("form", LEGACY)
def test_no_legacy_form_of_scrapy_is_used(form: str) -> None:
    found = [
        named(path)
        for path in modules("kaspi_crawler", "pipelines")
        if re.search(LEGACY[form], path.read_text())
    ]
    assert not found


@pytest.mark.parametrize("door", ["REMOTE_CONTROL_ENABLED", "TELNETCONSOLE_ENABLED"])
def test_doors_that_run_python_are_shut(door: str) -> None:
    assert SETTINGS.getbool(door) is False


@pytest.mark.parametrize("path", modules(*ROOMS, "tools", "tests", "benchmarks"), ids=named)
def test_a_module_opens_with_one_sentence(path: Path) -> None:
    opening = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert re.match(r"[^\n]+[.?!]( |\n|$)|[^\n]+\n[^\n]+[.?!]", opening), "say what the module is"


def test_no_module_is_called_by_what_it_is_not() -> None:
    vague = {"utils", "helpers", "manager", "base", "common", "misc"}
    assert not [named(path) for path in modules(*ROOMS) if path.stem in vague]
