"""The walk of a sign-in, against a cabinet that is played here, step by step."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from partners.call import Answer, Call
from partners.kaspi.cabinet_login import (
    Account,
    By,
    CannotSignIn,
    CodeWanted,
    Doors,
    Session,
    WhyNot,
    sign_in,
)

DOORS = Doors(cabinet="https://mc.example", accounts="https://idmc.example")
BY_MAIL = Account(email="user@example.kz", password="secret")  # noqa: S106
BY_PHONE = Account(phone="+7 (700) 000-00-00")
LOGIN = "https://idmc.example/api/p/login"


@attrs.define
class Played:
    """A cabinet: answers by method and address, and keeps what it was asked."""

    login: Callable[[Mapping[str, Any]], tuple[int, object]]
    changes: Mapping[str, Answer] = attrs.Factory(dict)
    asked: list[Call] = attrs.Factory(list)

    def hear(self, call: Call) -> Answer:
        self.asked.append(call)
        if call.address in self.changes:
            return self.changes[call.address]
        cookies = call.headers.get("Cookie", "")
        signed_in = "MS_AUTH_SSO=known" in cookies
        match call.method, call.address:
            case "GET", "https://mc.example/":
                return answer(call, 200, cookies=("mc-session=anonymous; Path=/",))
            case "GET", "https://mc.example/oauth2/authorization/1":
                return moved(call, "https://idmc.example/oauth2/authorize?x=1", "mc_arr=a; Secure")
            case "GET", "https://idmc.example/oauth2/authorize?x=1" if signed_in:
                return moved(call, "https://mc.example/login/oauth2/code/1?code=c")
            case "GET", "https://idmc.example/oauth2/authorize?x=1":
                return moved(call, "/login", "MS_AUTH_SSO=asked; HttpOnly")
            case "GET", "https://idmc.example/login":
                return answer(call, 200)
            case "GET", "https://mc.example/login/oauth2/code/1?code=c" if "mc_arr=a" in cookies:
                return moved(call, "https://kaspi.kz/mc/", "mc-sid=session; Path=/; HttpOnly")
            case "GET", "https://mc.example/s/m" if "mc-sid=session" in cookies:
                return answer(call, 200, {"merchants": [{"uid": "30000001"}, {"uid": "30000002"}]})
            case "POST", address if address == LOGIN:
                status, said = self.login(json.loads(call.body))
                known = ("MS_AUTH_SSO=known",) if "redirectUrl" in str(said) else ()
                return answer(call, status, said, cookies=known)
        return answer(call, 401)


def answer(call: Call, status: int, said: object = None, cookies: tuple[str, ...] = ()) -> Answer:
    body = json.dumps(said).encode()
    return Answer(status=status, body=body, address=call.address, cookies=cookies)


def moved(call: Call, to: str, *cookies: str) -> Answer:
    return Answer(
        status=302, body=b"", address=call.address, headers={"location": to}, cookies=cookies
    )


def walked(played: Played, account: Account, codes: list[str] | None = None) -> Session:
    """Walk to the end; codes are said as they are wanted."""
    walk = sign_in(DOORS, account)
    said: Any = None
    while True:
        try:
            wanted = walk.send(said)
        except StopIteration as end:
            session: Session = end.value
            return session
        said = played.hear(wanted) if isinstance(wanted, Call) else (codes or []).pop(0)


def welcome(_: Mapping[str, Any]) -> tuple[int, object]:
    return 200, {"redirectUrl": "/"}


def with_a_code(said: Mapping[str, Any]) -> tuple[int, object]:
    if "_m_c" in said or "_c" in said:
        right = (said.get("_m_c") or said.get("_c")) == "123456"
        return (200, {"redirectUrl": "/"}) if right else (401, {"errorCode": "MFA_WRONG_CODE"})
    return 200, {"phone": said["_ph"]} if "_ph" in said else {"email": "use***@example.kz"}


def test_an_account_signs_in_with_its_password() -> None:
    played = Played(welcome)
    session = walked(played, BY_MAIL)
    assert session.stores == ("30000001", "30000002")
    assert "mc-sid=session" in session.cookies
    assert "MS_AUTH_SSO" not in session.cookies
    [login] = [call for call in played.asked if call.address == LOGIN]
    assert json.loads(login.body) == {"_u": "user@example.kz", "_p": "secret", "_r_d": False}
    assert login.headers["Origin"] == "https://idmc.example"
    assert "MS_AUTH_SSO=asked" in login.headers["Cookie"]
    assert "mc-session" not in login.headers["Cookie"]


@pytest.mark.parametrize(
    ("account", "by", "second"),
    [
        pytest.param(BY_MAIL, By.MAIL, {"_u": "user@example.kz", "_m_c": "123456", "_r_d": True},
                     id="by mail"),
        pytest.param(BY_PHONE, By.SMS, {"_c": "123456"}, id="by SMS"),
    ],
)  # fmt: skip
def test_a_code_is_asked_for_when_the_marketplace_wants_one(
    account: Account, by: By, second: dict[str, Any]
) -> None:
    played = Played(with_a_code)
    walk = sign_in(DOORS, account)
    wanted = walk.send(None)
    while isinstance(wanted, Call):
        wanted = walk.send(played.hear(wanted))
    assert isinstance(wanted, CodeWanted)
    assert wanted.by is by
    assert walked(played, account, ["123456"]).stores
    assert json.loads([call for call in played.asked if call.address == LOGIN][-1].body) == second


@pytest.mark.parametrize(
    ("login", "why", "pause"),
    [
        pytest.param(lambda _: (401, {"errorCode": "WRONG_CREDENTIALS"}), WhyNot.WRONG, None,
                     id="wrong password"),
        pytest.param(with_a_code, WhyNot.WRONG_CODE, None, id="wrong code"),
        pytest.param(lambda _: (401, {"errorCode": "MFA_SEND_FLOOD",
                                      "errorData": {"breakTimeSeconds": 60}}),
                     WhyNot.FLOOD, 60, id="too many codes"),
        pytest.param(lambda _: (302, ""), WhyNot.REFUSED, None, id="sent elsewhere"),
        pytest.param(lambda _: (502, "<html>"), WhyNot.AWAY, None, id="a server in trouble"),
        pytest.param(lambda _: (526, "<html>"), WhyNot.AWAY, None, id="no certificate"),
        pytest.param(lambda _: (429, "<html>"), WhyNot.AWAY, None, id="too many questions"),
        pytest.param(lambda _: (200, {"news": 1}), WhyNot.REFUSED, None, id="an unknown answer"),
    ],
)  # fmt: skip
def test_a_sign_in_that_comes_to_nothing_says_why(
    login: Callable[[Mapping[str, Any]], tuple[int, object]], why: WhyNot, pause: int | None
) -> None:
    with pytest.raises(CannotSignIn) as refusal:
        walked(Played(login), BY_MAIL, ["000000"])
    assert (refusal.value.why, refusal.value.pause) == (why, pause)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "asked", "why", "pause"),
    [
        pytest.param(429, "90", WhyNot.AWAY, 90, id="come back in a minute and a half"),
        pytest.param(503, "soon", WhyNot.AWAY, None, id="come back some time"),
        pytest.param(503, "-5", WhyNot.AWAY, None, id="come back before"),
        pytest.param(403, "90", WhyNot.REFUSED, None, id="this address may not"),
        pytest.param(404, "", WhyNot.REFUSED, None, id="no such door"),
    ],
)
@pytest.mark.parametrize("door", ["oauth2/authorization/1", "s/m"])
def test_a_door_that_does_not_open_says_whether_to_come_back(
    door: str, status: int, asked: str, why: WhyNot, pause: int | None
) -> None:
    address = f"https://mc.example/{door}"
    shut = Answer(status=status, body=b"<html>", address=address, headers={"retry-after": asked})
    with pytest.raises(CannotSignIn) as refusal:
        walked(Played(welcome, {address: shut}), BY_MAIL)
    gone = WhyNot.NO_SESSION if door == "s/m" and why is WhyNot.REFUSED else why
    assert (refusal.value.why, refusal.value.pause) == (gone, pause)


def test_a_way_in_without_an_end_is_given_up() -> None:
    first = "https://mc.example/oauth2/authorization/1"
    circle = Answer(status=302, body=b"", address=first, headers={"location": first})
    with pytest.raises(CannotSignIn, match="has no end"):
        walked(Played(welcome, {first: circle}), BY_MAIL)


def test_a_session_that_sees_no_store_is_none() -> None:
    stores = "https://mc.example/s/m"
    nothing = Answer(status=200, body=b'{"merchants": []}', address=stores)
    with pytest.raises(CannotSignIn) as refusal:
        walked(Played(welcome, {stores: nothing}), BY_MAIL)
    assert refusal.value.why is WhyNot.NO_SESSION


def test_secrets_are_not_shown() -> None:
    session = walked(Played(welcome), BY_MAIL)
    for told in (repr(BY_MAIL), repr(BY_PHONE), repr(session)):
        assert not [word for word in ("secret", "700", "mc-sid") if word in told]
    assert urlsplit(LOGIN).path == "/api/p/login"
