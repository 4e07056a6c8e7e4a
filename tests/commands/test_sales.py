"""`scrapy sales`: intervals of what was sold, and what they stand on."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from domain.identity import MerchantId, ProductId
from domain.reviews import ReviewText
from storage.database import open_engine
from storage.patience import Patience
from storage.writer import BatchWriter
from tests.building import KETTLE, START, board, card, offer, refresh, reviews
from tests.commands.console import Console
from tests.discoveries import review, texts

PRODUCTS = [ProductId(f"10450{number:04}") for number in range(8)]
OURS, THEIRS = MerchantId("101"), MerchantId("202")
#: Each product: so many texts of each shop within a month, and as many a year ago.
TEXTS = 20


def written(product: int) -> list[ReviewText]:
    told = []
    for number in range(3 * TEXTS):
        age = 400 if number >= 2 * TEXTS else number % 28
        told.append(
            review(
                1_000 * product + number,
                written_on=(START - timedelta(days=age)).date(),
                merchant_id=OURS if number % 2 else THEIRS,
            )
        )
    return told


async def _fill(address: str) -> None:
    engine = open_engine(address)
    writer = BatchWriter(engine, Patience(linger=0.001))
    for number, product in enumerate(PRODUCTS):
        counts = reviews(product=product, rating_amount=120, review_amount=60)
        await writer.save(refresh(card=card(product=product), boards=(), reviews=counts))
        await writer.save(texts(*written(number), product=product))
    await writer.close()
    await engine.dispose()


@pytest.fixture
def sales(console: Console, database: str) -> Console:
    """A console over eight reviewed products: 40 texts a month, each second rating has one."""
    asyncio.run(_fill(database))
    return console.having(DATABASE_URL=database)


def estimates(told: str) -> dict[str, tuple[int, int, int, str]]:
    lines = (line.split("\t") for line in told.splitlines())
    return {line[0]: (int(line[1]), int(line[2]), int(line[3]), line[4]) for line in lines}


def test_until_it_is_calibrated_an_estimate_is_wide_and_says_so(
    sales: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sales.type_here("sales", "estimate", "--days", "30") == 0
    told = estimates(capsys.readouterr().out)
    assert set(told) == set(PRODUCTS)
    for low, high, count, basis in told.values():
        assert (count, basis) == (2 * TEXTS, "assumed")
        assert high > 10 * low


def test_days_and_products_are_chosen(sales: Console, capsys: pytest.CaptureFixture[str]) -> None:
    assert sales.type_here("sales", "estimate", "--days", "500", "--products", PRODUCTS[0]) == 0
    told = estimates(capsys.readouterr().out)
    assert {product: one[2] for product, one in told.items()} == {PRODUCTS[0]: 3 * TEXTS}


@pytest.mark.parametrize(
    ("merchant", "sold"),
    [
        pytest.param((), 800, id="all that was sold"),
        pytest.param(("--merchant", OURS), 400, id="what one shop sold, by its own reviews"),
    ],
)
def test_a_calibrated_estimate_is_narrow_and_holds_the_truth(
    sales: Console,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    merchant: tuple[str, ...],
    sold: int,
) -> None:
    """Every tenth buyer rated: 800 pieces, 80 ratings, 40 texts."""
    path = tmp_path / "sold.csv"
    path.write_text("товар;продано\n" + "".join(f"{one};{sold}\n" for one in PRODUCTS))
    assert sales.type_here("sales", "calibrate", str(path), *merchant) == 0
    said = capsys.readouterr().out
    assert "all categories" in said
    assert "Чайники" in said
    assert sales.type_here("sales", "estimate") == 0
    for low, high, _, basis in estimates(capsys.readouterr().out).values():
        assert low <= 800 <= high < 2 * low
        assert basis == "sold.csv, 30 days"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["guess"], "estimate|calibrate", id="another verb"),
        pytest.param(["estimate", "--days", "0"], "--days 30", id="no days"),
        pytest.param(["estimate", "all"], "scrapy sales estimate", id="a word too many"),
        pytest.param(["calibrate"], "sold.csv", id="no file"),
        pytest.param(["calibrate", "{directory}/words.csv"], "line 2", id="a line of words"),
        pytest.param(
            ["calibrate", "{directory}/half.csv"], "line 1: '101' is not", id="half a line"
        ),
        pytest.param(["calibrate", "{directory}/few.csv"], "at least 5", id="too few products"),
        pytest.param(["calibrate", "{directory}/none.csv"], "No such file", id="no such file"),
        pytest.param(
            ["calibrate", "{directory}/few.csv", "--merchant", "ИП Пример"], "11271005", id="a name"
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    sales: Console,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
    said: str,
) -> None:
    (tmp_path / "words.csv").write_text(f"product,pieces\n{PRODUCTS[0]},много\n")
    (tmp_path / "half.csv").write_text("101\n")
    (tmp_path / "few.csv").write_text(f"{PRODUCTS[0]},12\n999,3\n")
    assert sales.type_here("sales", *(word.format(directory=tmp_path) for word in words)) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert "Traceback" not in complaint


def test_without_reviews_it_says_where_they_come_from(
    console: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.having(DATABASE_URL=database).type_here("sales", "estimate") == 0
    assert "texts=yes" in capsys.readouterr().err


async def _fill_boards(address: str) -> None:
    engine = open_engine(address)
    writer = BatchWriter(engine, Patience(linger=0.001))
    await writer.save(refresh(card=card(), boards=(), reviews=None))
    for minutes, us in ((0, 10_000), (1_440, 9_400), (2_880, 9_400)):
        await writer.save(board(offer("101", us), offer("201", 9_500), minutes=minutes))
    await writer.close()
    await engine.dispose()


def test_shares_of_places_are_learned_from_own_orders(
    console: Console, database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A day in the second place with one order, one in the first with forty; one before."""
    asyncio.run(_fill_boards(database))
    path = tmp_path / "orders.csv"
    times = ["18T13:00", *["19T13:00"] * 40, "18T11:59"]
    lines = [f"{KETTLE};almaty;2026-09-{time}\n" for time in times]
    path.write_text("product;city;moment\n" + "".join(lines))
    having = console.having(DATABASE_URL=database)
    assert having.type_here("sales", "shares", str(path), "--merchant", OURS) == 0
    told = capsys.readouterr()
    first, second = (line.split("\t") for line in told.out.splitlines()[1:3])
    assert (first[2], second[2]) == ("40", "1")
    assert float(first[3]) > 60
    assert float(second[3]) < 15
    assert told.out.splitlines()[-1].startswith("shares_bp: ")
    assert "41 orders say something" in told.err
    assert "1 orders say nothing" in told.err


@pytest.fixture
def boards(console: Console, database: str) -> Console:
    """A console over a board on which we stood in two places."""
    asyncio.run(_fill_boards(database))
    return console.having(DATABASE_URL=database)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param((OURS, "18T11:59"), "Of 1 it is not known", id="an order before it all"),
        pytest.param((OURS, "18T13:00"), "; 1 came on boards", id="orders in one place alone"),
        pytest.param(("999", "18T13:00"), "stands on no board", id="a merchant of no board"),
    ],
)
def test_from_what_says_nothing_nothing_is_learned(
    boards: Console,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    asked: tuple[str, str],
    said: str,
) -> None:
    merchant, moment = asked
    path = tmp_path / "orders.csv"
    path.write_text(f"product;city;moment\n{KETTLE};almaty;2026-09-{moment}\n")
    assert boards.type_here("sales", "shares", str(path), "--merchant", merchant) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing was learned" in told.err
    assert said in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "--merchant 11271005", id="no file"),
        pytest.param(["{orders}"], "whose they are", id="nobody's"),
        pytest.param(["{orders}", "--merchant", OURS, "--days", "3"], "name one file", id="days"),
        pytest.param(["{orders}", "--merchant", OURS], "line 2: '1,almaty,soon'", id="no moment"),
        pytest.param(["{empty}", "--merchant", OURS], "holds no order", id="no order"),
    ],
)
def test_orders_that_cannot_be_read_are_said(
    sales: Console,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
    said: str,
) -> None:
    names = {"orders": tmp_path / "orders.csv", "empty": tmp_path / "empty.csv"}
    names["orders"].write_text("product,city,moment\n1,almaty,soon\n")
    names["empty"].write_text("product,city,moment\n")
    assert sales.type_here("sales", "shares", *(word.format(**names) for word in words)) == 2
    assert said in capsys.readouterr().err
