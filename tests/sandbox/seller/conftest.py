"""A market whose busiest merchant is ours, and clients of its cabinet over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar

from sandbox.seller.seller import Shops
from sandbox.seller.switches import SellerSwitches
from sandbox.server import running
from sandbox.world import World

PASSWORD = "a word for tests"  # noqa: S105
EMAIL, PHONE = "user@example.kz", "+7 (700) 000-00-00"
#: At once, and without limits: each test switches on what it is about.
CALM = {"apply_seconds": 0, "per_second": None}
VERSIONED = {"x-auth-version": "3"}


@attrs.define
class Cabinet:
    """One client: its cookies are its own."""

    address: str
    client: ClientSession
    merchant: str = ""

    @property
    def mc(self) -> str:
        return f"{self.address}/mc.shop"

    @property
    def idmc(self) -> str:
        return f"{self.address}/idmc.shop"

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self._answered("GET", path, **more)

    async def post(self, path: str, **more: Any) -> ClientResponse:
        return await self._answered("POST", path, **more)

    async def _answered(self, method: str, path: str, **more: Any) -> ClientResponse:
        headers = {**VERSIONED, **more.pop("headers", {})}
        address = path if path.startswith("http") else f"{self.mc}{path}"
        answer = await self.client.request(
            method, address, headers=headers, allow_redirects=False, **more
        )
        await answer.read()
        return answer

    async def walk(self, address: str) -> list[ClientResponse]:
        """Follow redirects by hand to their end."""
        answers = [await self.get(address)]
        while answers[-1].status == 302:
            answers.append(await self.get(answers[-1].headers["Location"]))
        return answers

    async def say(self, **words: object) -> ClientResponse:
        """One step at the sign-in."""
        headers = {"Origin": self.idmc, "Referer": f"{self.idmc}/login"}
        return await self.post(f"{self.idmc}/api/p/login", json=words, headers=headers)

    async def sign_in(self, email: str = EMAIL) -> None:
        """The whole walk with a password."""
        await self.walk("/oauth2/authorization/1")
        assert await (await self.say(_u=email, _p=PASSWORD, _r_d=False)).json() == {
            "redirectUrl": "/"
        }
        assert (await self.walk("/oauth2/authorization/1"))[-1].status == 200
        stores = await (await self.get("/s/m")).json()
        self.merchant = stores["merchants"][0]["uid"]

    async def listed(self, **asked: object) -> Any:
        """A page of the list."""
        query = {"m": self.merchant, "p": 0, "l": 100, **asked}
        answer = await self.get("/bff/offer-view/list", params=query)
        assert answer.status == 200, answer.status
        return await answer.json()

    async def item(self, sku: str) -> Any:
        return (await self.listed(t=sku))["data"][0]

    async def some(self, *, several: bool = False, specified: bool | None = None) -> Any:
        """An item with stock at all its points, several if asked; stocks kept or not, as asked."""
        item = next(
            item
            for item in (await self.listed(a="true"))["data"]
            if all(place["available"] == "yes" for place in item["availabilities"])
            and len(item["points"]) > several
        )
        if specified is not None:
            stock = {"stockCount": 5 if specified else None}
            points = dict.fromkeys(item["points"], stock)
            await self.control("seller/edit", {"sku": item["sku"], "points": points})
        return await self.item(item["sku"])

    async def push(self, *changes: dict[str, Any]) -> ClientResponse:
        """One change, or a batch of many."""
        bodies = [{"merchantUid": self.merchant, **change} for change in changes]
        path = "/pricefeed/upload/merchant/process"
        if len(bodies) > 1:
            return await self.post(f"{path}/process/batch", json=bodies)
        return await self.post(path, json=bodies[0])

    async def control(self, path: str, body: object = None, status: int = 200) -> Any:
        """Ask the sandbox itself."""
        address = f"{self.address}/sandbox/{path}"
        answer = await (self.get(address) if body is None else self.post(address, json=body))
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def switch(self, **switches: object) -> None:
        await self.control("seller/switches", {**CALM, **switches})

    async def book(self) -> Any:
        return await self.control("seller/book")

    async def board(self, item: Any, city: str) -> dict[str, Any] | None:
        """Our offer as buyers of a city see it."""
        asked = {"cityId": city, "sortOption": "PRICE"}
        path = f"{self.address}/yml/offer-view/offers/{item['masterSku']}"
        offers = (await (await self.post(path, json=asked)).json())["offers"]
        return next((one for one in offers if one["merchantId"] == self.merchant), None)


def echoed(item: Any, price: int | None = None, **changed: Any) -> dict[str, Any]:
    """A push as a careful client makes it: every city and every point, stock where it is kept."""
    prices = [
        {"cityId": one["cityId"], "value": price or one["value"]} for one in item["cityPrices"]
    ]
    places = [
        {"available": place["available"], "storeId": place["storeId"]}
        | ({"preOrder": place["preOrder"]} if place["preOrder"] else {})
        | ({"stockCount": place["stockCount"]} if place["stockSpecified"] else {})
        for place in item["availabilities"]
    ]
    body = {"sku": item["sku"], "model": item["model"], "cityPrices": prices}
    return {**body, "availabilities": places, **changed}


@asynccontextmanager
async def opened(market: World, shops: Shops | None = None) -> AsyncIterator[Cabinet]:
    """A sandbox with a cabinet, and a client who is not signed in."""
    calm = SellerSwitches(apply_seconds=0, per_second=None)
    shops = shops or Shops(password=PASSWORD, switches=calm)
    async with (
        running(market, shops=shops) as address,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as client,
    ):
        yield Cabinet(address, client)


@pytest.fixture
async def stranger(market: World) -> AsyncIterator[Cabinet]:
    """Somebody who is not signed in."""
    async with opened(market) as cabinet:
        yield cabinet


@pytest.fixture
async def cabinet(stranger: Cabinet) -> Cabinet:
    """Somebody who is."""
    await stranger.sign_in()
    return stranger
