"""`scrapy record` against the sandbox: cassettes without people, and drift as a diff."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from domain.identity import CityId, ProductId
from kaspi_crawler.recordings.cassettes import Pace, record
from kaspi_crawler.recordings.subjects import Product
from partners.kaspi.storefront import Storefront
from tests.commands.console import Console
from tests.crawl import liar as lies
from tests.crawl.conftest import liar, market, template  # noqa: F401 - fixtures
from tests.crawl.liar import Asked, Liar, Lie, lying
from tests.crawl.market import ALMATY, Market
from tests.crawl.test_products import CARDS

KNOWN, OTHER, STRANGER = list(CARDS)[7], list(CARDS)[8], "999999999"


@pytest.fixture
def own_liar(market: Market) -> Iterator[Liar]:  # noqa: F811 - a fixture
    with lying(market.address) as liar:  # noqa: F811
        yield liar


@pytest.fixture
def console(own_liar: Liar, tmp_path: Path) -> Console:
    return Console({"KASPI_URL": own_liar.address, "CASSETTES_DIR": str(tmp_path / "kept")})


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "kept").glob("*"))


def test_a_product_is_kept_whole_and_names_nobody(
    console: Console, own_liar: Liar, tmp_path: Path
) -> None:
    own_liar.lie("reviews", KNOWN, with_cookie)
    done = console.run("record", f"{own_liar.address}/shop/p/-{KNOWN}/", "--cities", "almaty")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path) == [f"product-{KNOWN}-{ALMATY}.json"]
    text = (tmp_path / "kept" / names(tmp_path)[0]).read_text(encoding="utf-8")
    told = json.loads(text)
    assert [each["response"]["status"]["code"] for each in told["http_interactions"]] == [200] * 3
    for review in reviews(own_liar.market, KNOWN):
        assert review["author"] not in text
        assert review["orderNumber"] not in text
    for secret in ("s3cret", "Set-Cookie", "dsn", "ks.tg"):
        assert secret not in text


def reviews(market: str, product: str) -> list[dict[str, Any]]:  # noqa: F811
    from urllib.request import urlopen  # noqa: PLC0415

    path = f"{market}/yml/review-view/api/v1/reviews/product/{product}?filter=ALL&limit=1000"
    with urlopen(path) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]
    assert found
    return found


async def with_cookie(asked: Asked) -> web.StreamResponse:
    status, body, kind = await asked.truth()
    headers = {"Set-Cookie": "session=s3cret; Path=/"}
    return web.Response(status=status, body=body, content_type=kind, headers=headers)


def without_promo(changed: dict[str, Any]) -> Lie:
    """The offers with fields changed: None takes one away."""

    async def said(asked: Asked) -> web.StreamResponse:
        answer = await asked.offers()
        for offer in answer["offers"]:
            for name, value in changed.items():
                offer[name] = value
                if value is None:
                    del offer[name]
        return web.json_response(answer)

    return said


def test_drift_is_told_as_a_diff_by_one_command(console: Console, own_liar: Liar) -> None:
    assert console.run("record", KNOWN).returncode == 0
    same = console.run("record", "--refresh")
    assert (same.returncode, len(same.stdout.splitlines())) == (0, 1)
    own_liar.lie("offers", KNOWN, without_promo({"price": "1 500", "title": None, "score": 5}))
    drifted = console.run("record", "--refresh")
    assert drifted.returncode == 1
    assert "  offers: + offers[].score (number)" in drifted.stdout
    assert "  offers: - offers[].title (text)" in drifted.stdout
    assert "  offers: ~ offers[].price: number → text" in drifted.stdout
    assert "  offers: a part is not read:" in drifted.stdout


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(("page", lies.CAPTCHA, "page: refused (captcha, 200)"), id="a captcha"),
        pytest.param(
            ("offers", lies.TOO_MANY, "offers: refused (too_many_requests, 429)"), id="429"
        ),
        pytest.param(("reviews", lies.reset, "not recorded"), id="a broken connection"),
        pytest.param(("page", lies.NOT_FOUND, "no such product"), id="what does not exist"),
    ],
)
def test_a_refusal_is_told_and_what_was_kept_stays(
    console: Console, own_liar: Liar, tmp_path: Path, refusal: tuple[str, Lie, str]
) -> None:
    kind, lie, said = refusal
    console.run("record", KNOWN)
    (kept,) = (tmp_path / "kept").iterdir()
    before = kept.read_bytes()
    own_liar.lie(kind, KNOWN, lie)
    done = console.run("record", KNOWN, OTHER)
    assert done.returncode == 1
    assert said in done.stdout
    assert kept.read_bytes() == before
    assert names(tmp_path) == sorted(f"product-{each}-{ALMATY}.json" for each in (KNOWN, OTHER))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "say what to record", id="nothing"),
        pytest.param(("kettle",), "'kettle' names no product", id="a word"),
        pytest.param(("--refresh",), "no cassette", id="nothing to refresh"),
        pytest.param((KNOWN, "--cities", "moon"), "'moon' names no city", id="no city"),
    ],
)
def test_a_wrong_word_is_told(console: Console, words: tuple[str, ...], said: str) -> None:
    done = console.run("record", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_pages_and_answers_are_asked_for_at_their_pace(own_liar: Liar, tmp_path: Path) -> None:
    slept: list[float] = []
    pace = Pace(api=1.0, page=10.0, sleep=slept.append)
    subject = Product(ProductId(KNOWN), CityId(ALMATY))
    began = time.monotonic()
    record(subject, Storefront(own_liar.address), tmp_path, pace)
    assert slept == [10.0, 1.0, 1.0]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("said", "name"),
    [
        pytest.param("category=Smartphones", f"category-Smartphones-{ALMATY}", id="a category"),
        pytest.param("search=чайник а-1", None, id="a search, whose name holds other letters"),
    ],
)
def test_a_listing_is_kept_and_refreshed(
    console: Console, tmp_path: Path, said: str, name: str | None
) -> None:
    done = console.run("record", said)
    assert (done.returncode, done.stderr) == (0, "")
    (kept,) = names(tmp_path)
    assert name is None or kept == f"{name}.json"
    told = json.loads((tmp_path / "kept" / kept).read_text(encoding="utf-8"))
    asked = [each["request"]["uri"] for each in told["http_interactions"]]
    assert ["filters" in asked[0], "results" in asked[1]] == [True, True]
    assert console.run("record", "--refresh").returncode == 0
