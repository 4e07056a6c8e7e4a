"""An account signs in through the site's own page, in a real Chromium."""

from pathlib import Path

import pytest

from partners.kaspi.cabinet_login import Account
from tests.crawl.conftest import Opener
from tests.crawl.counter import PHONE, WRONG, Counter, held, trading, truth


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(
    ("account", "letters"),
    [
        pytest.param(None, 0, id="with a password"),
        pytest.param(Account(phone=PHONE), 1, id="with a code by SMS"),
    ],
)
def test_an_account_signs_in_through_the_page(
    counter: Counter, tmp_path: Path, account: Account | None, letters: int
) -> None:
    counter.calm(mail_code=letters > 0)
    counter.keep(account)
    begun, before = counter.begun(), counter.letters()
    around = {**counter.with_postman(tmp_path), "CABINET_LOGIN": "browser"}
    ended = counter.crawl(None, around)
    assert ended.reason == "finished", ended.said
    assert held(counter) == truth(counter)
    assert (counter.begun(), counter.letters()) == (begun + 1, before + letters)


@pytest.mark.usefixtures("chromium")
def test_the_page_is_asked_through_the_stores_own_exit(
    tmp_path: Path, open_workplace: Opener
) -> None:
    words = ("--exits=1", "--exit-credentials=u:secret")
    with trading(tmp_path, 30, *words) as market:
        counter = Counter(market=market, place=open_workplace(market.address))
        counter.calm(mail_code=True)
        counter.keep()
        proxy = counter.ask("exits")[0]["proxy"].replace("http://", "http://u:secret@")
        around = {**counter.with_postman(tmp_path), "CABINET_LOGIN": "browser", "PROXIES": proxy}
        ended = counter.crawl({"goods": "no"}, around)
        assert ended.reason == "finished", ended.said
        [exit_told] = counter.ask("exits")
        assert (counter.begun(), counter.letters()) == (1, 1)
    assert exit_told["served"] > 5


@pytest.mark.usefixtures("chromium")
def test_a_page_that_says_no_is_heard(counter: Counter) -> None:
    counter.keep(WRONG)
    ended = counter.crawl({"goods": "no"}, {"CABINET_LOGIN": "browser"})
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about("INVALID_CREDENTIALS", "Say the right ones")
    assert WRONG.password not in ended.said
