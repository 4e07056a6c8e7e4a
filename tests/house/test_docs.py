"""The pages of docs/ say what the code says, and their queries run."""

from pathlib import Path

import psycopg
import pytest

from storage.schema import libpq_address
from tools.docs import pages

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUERIES = sorted((DOCS / "queries").glob("*.sql"))


def test_the_pages_made_from_the_code_are_in_step(database: str) -> None:
    with psycopg.connect(libpq_address(database)) as connection:
        for name, text in pages(connection).items():
            assert (DOCS / name).read_text(encoding="utf-8") == text, f"run `make docs` ({name})"


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_of_the_docs_runs(database: str, path: Path) -> None:
    with psycopg.connect(libpq_address(database)) as connection:
        found = connection.execute(path.read_bytes())
        assert found.description, "a query of the docs answers with columns"


def test_there_are_ten_questions_and_more() -> None:
    assert len(QUERIES) >= 10


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    import re  # noqa: PLC0415

    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} points at {target}"
