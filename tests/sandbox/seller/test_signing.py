"""The way in: redirects and cookies, codes by mail and SMS, floods, and how sessions end."""

from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, CookieJar
from playwright.async_api import Page

from sandbox.seller.seller import Seller, Shops
from sandbox.server import running
from sandbox.world import World
from tests.sandbox.conftest import needs_chromium
from tests.sandbox.seller.conftest import EMAIL, PASSWORD, PHONE, Cabinet, opened


async def test_the_walk_to_the_form_is_two_redirects_and_two_cookies(stranger: Cabinet) -> None:
    there = "/oauth2/authorization/1?redirectUrl=https%3A%2F%2Fkaspi.kz%2Fmc%2F"
    first, second, form = await stranger.walk(there)
    assert urlsplit(first.headers["Location"]).path == "/idmc.shop/oauth2/authorize"
    assert "code_challenge_method=S256" in first.headers["Location"]
    assert set(first.cookies) == {"mc_arr", "mc-session"}
    assert urlsplit(second.headers["Location"]).path == "/idmc.shop/login"
    assert set(second.cookies) == {"MS_AUTH_SSO"}
    assert 'id="user_email_field"' in await form.text()


async def test_the_walk_back_ends_in_the_cabinet_with_a_session(stranger: Cabinet) -> None:
    await stranger.walk("/oauth2/authorization/1")
    said = await stranger.say(_u=EMAIL, _p=PASSWORD, _r_d=False)
    assert (said.status, await said.json()) == (200, {"redirectUrl": "/"})
    *answers, page = await stranger.walk("/oauth2/authorization/1?redirectUrl=https://kaspi.kz/mc/")
    paths = [urlsplit(answer.headers["Location"]).path for answer in answers]
    assert paths == ["/idmc.shop/oauth2/authorize", "/mc.shop/login/oauth2/code/1", "/mc/"]
    assert "mc-sid" in answers[-1].cookies
    assert 'class="navbar"' in await page.text()
    stores = await (await stranger.get("/s/m")).json()
    assert list(stores) == ["merchants"]
    assert list(stores["merchants"][0]) == ["uid"]


async def test_no_redirect_leaves_this_machine(stranger: Cabinet) -> None:
    away = "/oauth2/authorization/1?redirectUrl=https%3A%2F%2Fexample.com%2Faway"
    await stranger.say(_u=EMAIL, _p=PASSWORD)
    for answer in await stranger.walk(away):
        assert answer.headers.get("Location", stranger.address).startswith(stranger.address)


async def test_each_host_gets_its_own_cookies_alone(cabinet: Cabinet) -> None:
    jar = cabinet.client.cookie_jar
    kept = {path: set(cookies) for (_, path), cookies in jar._cookies.items() if cookies}  # type: ignore[attr-defined]
    assert kept == {"/mc.shop": {"mc-sid", "mc-session"}, "/idmc.shop": {"MS_AUTH_SSO"}}


async def test_mc_session_proves_nothing(stranger: Cabinet) -> None:
    for _ in range(2):
        answer = await stranger.get("/s/m")
        assert answer.status == 401
    assert "mc-session" not in answer.cookies, "it is given once"
    stranger.client.cookie_jar.clear()
    assert "mc-session" in (await stranger.get("/s/m")).cookies


async def test_mc_sid_is_enough(cabinet: Cabinet) -> None:
    sid = next(one for one in cabinet.client.cookie_jar if one.key == "mc-sid").value
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as bare:
        asked = {"Cookie": f"mc-sid={sid}"}
        async with bare.get(f"{cabinet.mc}/s/m", headers=asked) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param({"_u": EMAIL, "_p": "no"}, "INVALID_CREDENTIALS", id="a wrong password"),
        pytest.param({"_u": "x@example.kz", "_p": PASSWORD}, "INVALID_CREDENTIALS", id="nobody"),
        pytest.param({"_ph": "+7 (701) 000-00-00"}, "USER_NOT_FOUND", id="nobody's phone"),
        pytest.param({"_m_c": "123456"}, "MFA_CODE_EXPIRED", id="a code that nobody sent"),
        pytest.param({}, "USER_NOT_FOUND", id="nothing"),
    ],
)
async def test_what_is_wrong_is_401(
    stranger: Cabinet, words: dict[str, object], error: str
) -> None:
    answer = await stranger.say(**words)
    assert (answer.status, (await answer.json())["errorCode"]) == (401, error)
    assert (await stranger.walk("/oauth2/authorization/1"))[-1].url.path == "/idmc.shop/login"


async def test_a_form_in_two_steps_signs_in(stranger: Cabinet) -> None:
    door = f"{stranger.idmc}/api/p/login"
    first = await stranger.post(door, data={"_u": EMAIL})
    second = await stranger.post(door, data={"_u": EMAIL, "_p": PASSWORD})
    assert first.status == 200
    assert await second.json() == {"redirectUrl": "/"}


async def test_a_code_comes_by_mail_when_it_is_switched_on(stranger: Cabinet) -> None:
    await stranger.switch(mail_code=True)
    said = await stranger.say(_u=EMAIL, _p=PASSWORD, _r_d=False)
    assert await said.json() == {"email": "use***@example.kz"}
    letter = (await stranger.control("seller/mailbox"))[-1]
    assert letter["to"] == EMAIL
    wrong = await stranger.say(_u=EMAIL, _m_c="no", _r_d=True)
    assert (wrong.status, (await wrong.json())["errorCode"]) == (401, "MFA_CODE_INVALID")
    right = await stranger.say(_u=EMAIL, _m_c=letter["code"], _r_d=True)
    assert await right.json() == {"redirectUrl": "/"}
    await stranger.walk("/oauth2/authorization/1")
    assert (await stranger.get("/s/m")).status == 200


async def test_a_code_comes_by_sms(stranger: Cabinet) -> None:
    said = await stranger.say(_ph=PHONE)
    assert await said.json() == {"phone": PHONE}
    assert "MS_AUTH_SSO" in said.cookies
    letter = (await stranger.control("seller/mailbox"))[-1]
    assert letter["to"] == "7000000000"
    assert await (await stranger.say(_c=letter["code"])).json() == {"redirectUrl": "/"}
    await stranger.walk("/oauth2/authorization/1")
    assert (await stranger.get("/s/m")).status == 200


async def test_a_code_is_void_after_five_wrong_ones(stranger: Cabinet) -> None:
    await stranger.say(_ph=PHONE)
    code = (await stranger.control("seller/mailbox"))[-1]["code"]
    for _ in range(5):
        await stranger.say(_c="none")
    answer = await stranger.say(_c=code)
    assert (await answer.json())["errorCode"] == "MFA_CODE_EXPIRED"


@pytest.mark.parametrize(
    ("switches", "error", "waits"),
    [
        pytest.param({"code_pause": 60}, "MFA_SEND_FLOOD", range(59, 61), id="two at once"),
        pytest.param(
            {"code_pause": 0, "codes_an_hour": 1},
            "MFA_CODE_TOO_MANY_SEND",
            range(3599, 3601),
            id="too many an hour",
        ),
    ],
)
async def test_codes_asked_for_too_often_are_a_flood(
    stranger: Cabinet, switches: dict[str, object], error: str, waits: range
) -> None:
    await stranger.switch(mail_code=True, clock="sandbox", **switches)
    await stranger.say(_u=EMAIL, _p=PASSWORD)
    flood = await stranger.say(_u=EMAIL, _p=PASSWORD)
    told = await flood.json()
    assert (flood.status, told["errorCode"]) == (401, error)
    assert told["errorData"]["breakTimeSeconds"] in waits
    await stranger.control("advance", {"seconds": told["errorData"]["breakTimeSeconds"]})
    assert (await stranger.say(_u=EMAIL, _p=PASSWORD)).status == 200


@pytest.mark.parametrize(
    ("position", "status"), [("unauthorized", 401), ("redirect", 302)], ids=["401", "302"]
)
async def test_a_session_ends_at_will(cabinet: Cabinet, position: str, status: int) -> None:
    await cabinet.switch(gone_session=position)
    assert await cabinet.control("seller/expire", {"account": EMAIL}) == {"ended": 1}
    answer = await cabinet.get("/bff/offer-view/list", params={"m": cabinet.merchant})
    assert answer.status == status
    if status == 302:
        assert answer.headers["Location"] == f"{cabinet.mc}/oauth2/authorization/1"
    assert (await cabinet.walk("/oauth2/authorization/1"))[-1].url.path == "/idmc.shop/login"
    await cabinet.sign_in()


async def test_a_session_ends_with_age(cabinet: Cabinet) -> None:
    await cabinet.switch(session_minutes=30, clock="sandbox")
    await cabinet.control("seller/expire", {})
    await cabinet.sign_in()
    await cabinet.control("advance", {"minutes": 29})
    assert (await cabinet.get("/s/m")).status == 200
    await cabinet.control("advance", {"minutes": 1})
    assert (await cabinet.get("/s/m")).status == 401


@pytest.mark.parametrize(("needed", "status"), [(True, 403), (False, 200)])
async def test_the_version_of_the_sign_in(cabinet: Cabinet, needed: bool, status: int) -> None:
    await cabinet.switch(auth_version=needed)
    asked = {"m": cabinet.merchant}
    answer = await cabinet.get("/bff/offer-view/list", params=asked, headers={"x-auth-version": ""})
    assert answer.status == status


async def test_another_store_is_forbidden_and_the_probe_tells_a_writer(cabinet: Cabinet) -> None:
    path = "/pricefeed/upload/merchant/upload/configuration"
    ours = await cabinet.post(path, params={"merchantUid": cabinet.merchant})
    assert (ours.status, ours.headers["X-Principal-Type"]) == (200, "2")
    assert (await cabinet.post(path, params={"merchantUid": "1"})).status == 403
    assert (await cabinet.get("/bff/offer-view/list", params={"m": "1"})).status == 403


async def test_the_cabinet_is_reached_through_the_exits(market: World) -> None:
    async with running(market, exits=1) as address, ClientSession() as client:
        async with client.get(f"{address}/sandbox/exits") as told:
            proxy = (await told.json())[0]["proxy"]
        walk = f"{address}/mc.shop/oauth2/authorization/1"
        async with client.get(walk, proxy=proxy) as answer:
            assert (answer.status, str(answer.url)) == (200, f"{address}/idmc.shop/login")
        async with client.get(f"{address}/sandbox/exits/exit-1") as told:
            assert (await told.json())["served"] == 3


@needs_chromium
@pytest.mark.parametrize("by_phone", [False, True], ids=["by mail", "by phone"])
async def test_a_browser_signs_in(stranger: Cabinet, browser_page: Page, by_phone: bool) -> None:
    await stranger.switch(mail_code=True)
    await browser_page.goto(f"{stranger.mc}/", wait_until="domcontentloaded")
    if by_phone:
        await browser_page.click("#phone_tab")
        await browser_page.fill("#user_phone_field", PHONE)
    else:
        await browser_page.fill("#user_email_field", EMAIL)
        await browser_page.fill("#password_field", "no")
        await browser_page.click(".button.is-primary")
        wrong = await browser_page.wait_for_selector(".notification.is-danger")
        assert wrong is not None
        assert await wrong.inner_text() == "INVALID_CREDENTIALS"
        await browser_page.fill("#password_field", PASSWORD)
    await browser_page.click(".button.is-primary")
    await browser_page.wait_for_selector("input[name=security-code]")
    code = (await stranger.control("seller/mailbox"))[-1]["code"]
    await browser_page.fill("input[name=security-code]", code)
    await browser_page.click(".button.is-primary")
    await browser_page.wait_for_selector("nav.navbar")
    assert "mc-sid" in {cookie["name"] for cookie in await browser_page.context.cookies()}


async def test_several_accounts_have_their_own_stores(market: World) -> None:
    board = next(iter(market.boards.values()))[next(iter(market.cards))]
    first, second, third = (seat.merchant.id for seat in board.seats[:3])
    shops = Shops(stores=[[first, second], [third]], password=PASSWORD)
    async with opened(market, shops) as cabinet:
        await cabinet.sign_in("user2@example.kz")
        assert cabinet.merchant == third
        cabinet.client.cookie_jar.clear()
        await cabinet.sign_in()
        stores = await (await cabinet.get("/s/m")).json()
        assert [store["uid"] for store in stores["merchants"]] == [first, second]
        assert (await cabinet.listed(m=second))["total"] > 0
        assert (await cabinet.get("/bff/offer-view/list", params={"m": third})).status == 403


async def test_the_control_door_tells_how_to_sign_in(stranger: Cabinet) -> None:
    told = await stranger.control("seller")
    assert (told["mc"], told["idmc"]) == (stranger.mc, stranger.idmc)
    account = told["accounts"][0]
    assert account["email"] == EMAIL
    assert (account["phone"], account["password"]) == ("7000000000", PASSWORD)


def test_a_password_is_made_up_when_none_is_given(market: World) -> None:
    made = {Seller(market, Shops()).accounts[0].password for _ in range(2)}
    assert len(made) == 2
