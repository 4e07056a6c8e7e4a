"""An account signs in through the site's own page, in a real Chromium."""

from pathlib import Path

import pytest

from partners.kaspi.cabinet_login import Account
from tests.crawl.counter import PHONE, WRONG, Counter, held, truth
from tests.transport.forwarding import forwarding


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(
    ("account", "exits", "letters"),
    [
        pytest.param(None, False, 0, id="with a password"),
        pytest.param(None, True, 1, id="with a code by mail, through a proxy"),
        pytest.param(Account(phone=PHONE), False, 1, id="with a code by SMS"),
    ],
)
def test_an_account_signs_in_through_the_page(
    counter: Counter, tmp_path: Path, account: Account | None, *, exits: bool, letters: int
) -> None:
    counter.calm(mail_code=letters > 0)
    counter.keep(account)
    begun, before = counter.begun(), counter.letters()
    around = {**counter.with_postman(tmp_path), "CABINET_LOGIN": "browser"}
    with forwarding(1) as opened:
        if exits:
            around["PROXIES"] = opened[0].address
        ended = counter.crawl(None, around)
    assert ended.reason == "finished", ended.said
    assert held(counter) == truth(counter)
    assert (counter.begun(), counter.letters()) == (begun + 1, before + letters)


@pytest.mark.usefixtures("chromium")
def test_a_page_that_says_no_is_heard(counter: Counter) -> None:
    counter.keep(WRONG)
    ended = counter.crawl({"goods": "no"}, {"CABINET_LOGIN": "browser"})
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about("INVALID_CREDENTIALS", "Say the right ones")
    assert WRONG.password not in ended.said
