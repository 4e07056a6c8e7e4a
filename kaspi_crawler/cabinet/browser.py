"""Signs an account in through the site's own page in Chromium, where the plain walk is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import attrs
from scrapy.settings import BaseSettings

from domain.identity import MerchantId
from kaspi_crawler.browser.executable import HOW_TO_INSTALL, chromium, flags
from partners.call import Answer
from partners.kaspi.cabinet import read_stores
from partners.kaspi.cabinet_login import (
    Account,
    By,
    CannotSignIn,
    CodeWanted,
    Doors,
    Session,
    WhyNot,
    is_away,
)
from partners.kaspi.storefront import USER_AGENT

if TYPE_CHECKING:
    # At run time it is imported by the sign-in that needs it: a third of a second.
    from playwright.async_api import BrowserContext, Page

Code = Callable[[CodeWanted], Awaitable[str]]

# The page's fields, as two clients drove them (2025, 2026).
_EMAIL, _PASSWORD = "#user_email_field", "#password_field"
_PHONE_TAB, _PHONE = "#phone_tab", "#user_phone_field"
_CODE, _ON = "input[name=security-code]", ".button.is-primary"
_WRONG = ".notification.is-danger:visible, .help.is-danger:visible"
_THROUGH = "nav.navbar"
#: Chromium would tell its maker what forms it sees.
_NO_TELLING = "--disable-features=AutofillServerCommunication"


@attrs.frozen(kw_only=True)
class BrowserSignIn:
    """One sign-in in a browser of its own, which ends with it. `proxy` is the exit's address."""

    settings: BaseSettings
    doors: Doors
    proxy: str | None

    async def walk(self, account: Account, code: Code) -> Session:
        """The session. Raises CannotSignIn, and what `code` raises."""
        from playwright.async_api import Error as PlaywrightError  # noqa: PLC0415

        try:
            async with self._context() as context:
                page = await context.new_page()
                await _opened(page, f"{self.doors.cabinet}/oauth2/authorization/1")
                await _known(page, account, code)
                return await self._session(context)
        except PlaywrightError as error:
            # Its text may hold an address with a code in it.
            told = f"the page of the login cannot be used ({type(error).__name__})"
            raise CannotSignIn(WhyNot.REFUSED, told) from None

    @asynccontextmanager
    async def _context(self) -> "AsyncIterator[BrowserContext]":
        from playwright.async_api import async_playwright  # noqa: PLC0415

        program = chromium(self.settings["CHROMIUM"])
        if program is None:
            raise CannotSignIn(WhyNot.REFUSED, f"there is no Chromium: {HOW_TO_INSTALL}")
        patience = self.settings.getfloat("BROWSER_TIMEOUT") * 1000
        said = self.settings.getlist("CHROMIUM_FLAGS")
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=str(program),
                args=[*flags(self.doors.cabinet), _NO_TELLING, *said],
                proxy=_proxy(self.proxy),
                timeout=patience,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            try:
                context = await browser.new_context(user_agent=USER_AGENT)
                context.set_default_timeout(patience)
                yield context
            finally:
                await browser.close()

    async def _session(self, context: "BrowserContext") -> Session:
        cookies = await context.cookies(f"{self.doors.cabinet}/")
        told = "; ".join(f"{one.get('name')}={one.get('value')}" for one in cookies)
        address = f"{self.doors.cabinet}/s/m"
        answer = await context.request.get(address)
        heard = Answer(status=answer.status, body=await answer.body(), address=address)
        stores = read_stores(heard)
        if not stores:
            raise CannotSignIn(WhyNot.NO_SESSION, f"signed in, but /s/m answers {answer.status}")
        return Session(cookies=told, stores=tuple(map(MerchantId, stores)))


async def _opened(page: "Page", address: str) -> None:
    """Go to the login. Raises CannotSignIn where no page of the marketplace comes."""
    from playwright.async_api import Error as PlaywrightError  # noqa: PLC0415

    try:
        answer = await page.goto(address)
    except PlaywrightError as error:
        told = f"the page of the login does not open ({type(error).__name__})"
        raise CannotSignIn(WhyNot.AWAY, told) from None
    if answer is not None and is_away(answer.status):
        raise CannotSignIn(WhyNot.AWAY, f"the page of the login answers {answer.status}")


async def _known(page: "Page", account: Account, code: Code) -> None:
    """Say who we are, and the code when one is wanted."""
    if account.phone:
        await page.click(_PHONE_TAB)
        await page.fill(_PHONE, account.phone)
    else:
        await page.fill(_EMAIL, account.email)
        if not await page.is_visible(_PASSWORD):
            await page.click(_ON)
        await page.fill(_PASSWORD, account.password)
    await page.click(_ON)
    if await _is_through(page, WhyNot.WRONG):
        return
    by, sent_to = (By.SMS, account.phone) if account.phone else (By.MAIL, account.email)
    await page.fill(_CODE, await code(CodeWanted(by=by, sent_to=sent_to)))
    await page.click(_ON)
    await page.wait_for_selector(f"{_THROUGH}, {_WRONG}")
    if not await _is_through(page, WhyNot.WRONG_CODE):
        raise CannotSignIn(WhyNot.WRONG_CODE, "the code was not accepted")


async def _is_through(page: "Page", wrong: WhyNot) -> bool:
    """Whether the cabinet is open; else a code is wanted. Raises CannotSignIn."""
    await page.wait_for_selector(f"{_THROUGH}, {_CODE}:visible, {_WRONG}")
    if await page.locator(_WRONG).count():
        said = (await page.locator(_WRONG).first.inner_text()).strip()
        flood = "FLOOD" in said or "TOO_MANY" in said
        raise CannotSignIn(WhyNot.FLOOD if flood else wrong, f"the login says {said[:80]!r}")
    return bool(await page.locator(_THROUGH).count())


def _proxy(address: str | None) -> Any:
    """An exit in playwright's words. Chromium would go past a proxy to loopback: it must not."""
    if address is None:
        return None
    parts = urlsplit(address)
    proxy = {"server": f"{parts.scheme}://{parts.hostname}:{parts.port}", "bypass": "<-loopback>"}
    if parts.username:
        user, password = unquote(parts.username), unquote(parts.password or "")
        proxy |= {"username": user, "password": password}
    return proxy
