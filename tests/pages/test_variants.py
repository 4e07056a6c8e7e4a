"""The page of a card names all products behind it, whichever of them it shows."""

from datetime import UTC, datetime

import pytest

from domain.identity import ProductId
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.variants import VariantsPage
from tests.pages.building import CONFIGURATOR, KETTLE, answer, whole_page

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
GROUP = ProductId("10450000b")


def read(body: str, status: int = 200) -> tuple[ProductId, ...] | TryAgain | Unreadable:
    return VariantsPage(answer(body, status), GROUP, NOW).to_item()


def leaves(choice: object) -> set[str]:
    if isinstance(choice, dict):
        below = choice.get("matrix") or ()
        code = choice.get("productCode")
        return ({code} if code and not below else set()).union(*map(leaves, below))
    return set()


def test_the_product_shown_comes_first_and_its_siblings_follow() -> None:
    found = read(whole_page())
    assert isinstance(found, tuple)
    assert found[0] == KETTLE
    assert set(found) == {KETTLE} | leaves(CONFIGURATOR)
    assert len(found) > 1


def test_a_page_that_is_gone_has_none() -> None:
    assert read("<title>Страница не найдена | Kaspi Магазин</title>", 404) == ()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        pytest.param("<html><body>nginx</body></html>", 403, TryAgain, id="refused"),
        pytest.param("<html></html>", 200, TryAgain, id="a shell"),
        pytest.param("BACKEND.components.item = {}", 200, Unreadable, id="a state of nothing"),
    ],
)
def test_what_names_no_product_is_told_apart(body: str, status: int, kind: type) -> None:
    assert isinstance(read(body, status), kind)
