"""The original parser's way of working, written afresh as a fair baseline.

httpx, BeautifulSoup with html.parser, the item state found by its place among the scripts, the
offers' pages all at once after a request for their number, a commit a product through the ORM.
Kinder than the original: one client keeps its connections, four products are read at once, and
nothing is exported. `python -m benchmarks.original JOB` prints seconds.
"""

import asyncio
import json
import os
import re
import sys
import time
from math import ceil
from typing import Any

import httpx
from bs4 import BeautifulSoup

from benchmarks.baselines import Shelf, Told

_ITEM = re.compile(r"BACKEND\.components\.item\s*=\s*(\{.*\})", re.DOTALL)
_CITY = "750000000"
#: Products that are read at the same time.
TOGETHER = 4


def read_page(html: str) -> dict[str, Any]:
    """Name, description, category and images of a page."""
    soup = BeautifulSoup(html, "html.parser")
    linked: dict[str, Any] = {}
    for script in soup.find_all("script", type="application/ld+json"):
        try:
            told = json.loads(script.string or "")
        except json.JSONDecodeError:
            continue
        if isinstance(told, dict) and told.get("@type") == "Product":
            linked = told
    return {
        "name": linked.get("name"),
        "description": linked.get("description"),
        "category": linked.get("category"),
        "image_url": read_images(html),
    }


def read_images(html: str) -> list[str]:
    """The large images of the item state, which stands in the tenth script."""
    item = _ITEM.search(html.split("</script><script>")[9])
    told = json.loads(item[1]) if item else {}
    return [image["large"] for image in told.get("galleryImages", [])]


def item_state(html: str) -> dict[str, Any]:
    """The item state, by BeautifulSoup: the baseline of the extraction's benchmark."""
    for script in BeautifulSoup(html, "html.parser").find_all("script"):
        if script.string and (found := _ITEM.search(script.string)):
            return dict(json.loads(found[1]))
    raise ValueError("no item state")


async def read_offers(client: httpx.AsyncClient, product: str) -> list[tuple[str, int]]:
    """How many there are, then all their pages at once."""

    async def ask(page: int, limit: int) -> dict[str, Any]:
        question = {"cityId": _CITY, "id": product, "limit": limit, "page": page, "sort": True}
        answer = await client.post(f"/yml/offer-view/offers/{product}", json=question)
        return dict(answer.json())

    total = (await ask(0, 1)).get("offersCount", 0)
    pages = await asyncio.gather(*(ask(page, 64) for page in range(ceil(total / 64))))
    return [
        (offer["merchantName"], int(offer["price"])) for page in pages for offer in page["offers"]
    ]


async def read_reviews(client: httpx.AsyncClient, product: str) -> tuple[str | None, int | None]:
    """Rating and number of reviews, the second group of the summary."""
    answer = await client.get(
        f"/yml/review-view/api/v1/reviews/product/{product}",
        params={"filter": "COMMENT", "limit": 9, "withAgg": "true"},
    )
    told = answer.json()
    groups = told.get("groupSummary") or []
    rate = (told.get("summary") or {}).get("global")
    return (None if rate is None else str(rate)), groups[1]["total"] if len(groups) > 1 else None


async def read_product(client: httpx.AsyncClient, product: str) -> Told:
    """Page, offers and reviews together."""
    page, prices, (rate, amount) = await asyncio.gather(
        client.get(f"/shop/p/-{product}/", params={"c": _CITY}),
        read_offers(client, product),
        read_reviews(client, product),
    )
    return Told(
        kaspi_id=product, prices=prices, rate=rate, review_amount=amount, **read_page(page.text)
    )


async def refresh(address: str, database: str, products: list[str]) -> float:
    """Read and store the products; seconds that it took."""
    shelf, room = Shelf(database), asyncio.Semaphore(TOGETHER)
    async with httpx.AsyncClient(base_url=address) as client:

        async def one(product: str) -> None:
            async with room:
                shelf.save(await read_product(client, product))

        began = time.perf_counter()
        await asyncio.gather(*map(one, products))
        seconds = time.perf_counter() - began
    shelf.close()
    return seconds


def main() -> None:
    """Refresh the products of the command line."""
    job = json.loads(sys.argv[1])
    took = refresh(os.environ["KASPI_URL"], os.environ["DATABASE_URL"], job["products"])
    sys.stdout.write(f"{asyncio.run(took)}\n")


if __name__ == "__main__":
    main()
