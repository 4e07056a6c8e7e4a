"""The host that signs people in: e-mail and password, codes by mail and SMS, floods.

Bodies as captured 2025-05 and 2026-08. What a wrong password or code is answered with was recorded
nowhere: here 401 with an errorCode of our own.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

import attrs
import msgspec
from aiohttp import web

from sandbox.seller.accounts import Account, Flood, Mailbox, phone_digits
from sandbox.seller.hosts import IDMC, MC, found, json_reply, origin, page
from sandbox.seller.sessions import Sessions, SignOn
from sandbox.seller.switches import SellerSwitches

SSO_COOKIE = "MS_AUTH_SSO"
#: After so many wrong codes the one that was sent is void.
_PATIENCE = 5
_THROUGH = {"redirectUrl": "/"}
#: The fields as browsers drive them (seen in code 2026), and a script that makes the same calls.
_FORM = """
<form id="login"><a id="phone_tab" href="#phone">Телефон</a>
<input id="user_email_field" name="username"><input id="password_field" type="password">
<input id="user_phone_field" name="phone" hidden><input name="security-code" hidden>
<p class="notification is-danger" hidden></p><p class="help is-danger" hidden></p>
<button class="button is-primary">Продолжить</button></form>
<script>
(function () {
  var phone = false, coded = false, form = document.getElementById("login");
  var field = function (rule) { return form.querySelector(rule); };
  var email = field("#user_email_field"), word = field("#password_field");
  var number = field("#user_phone_field"), code = field("input[name=security-code]");
  var wrong = field(".notification");
  field("#phone_tab").onclick = function (event) {
    event.preventDefault(); phone = true;
    email.hidden = word.hidden = true; number.hidden = false;
  };
  var said = function () {
    if (phone) { return coded ? {_c: code.value} : {_ph: number.value}; }
    return coded ? {_u: email.value, _m_c: code.value, _r_d: true}
                 : {_u: email.value, _p: word.value, _r_d: false};
  };
  form.onsubmit = function (event) {
    event.preventDefault(); wrong.hidden = true;
    fetch("IDMC/api/p/login", {method: "POST", headers: {"Content-Type": "application/json"},
                               body: JSON.stringify(said())})
      .then(function (answer) { return answer.json().then(function (told) {
        if (!answer.ok) { wrong.textContent = told.errorCode; wrong.hidden = false; return; }
        if (told.redirectUrl) { location.href = "MC/oauth2/authorization/1"; return; }
        coded = true; code.hidden = false;
      }); });
  };
})();
</script>"""


@attrs.frozen
class SignInDesk:
    """Handlers of the sign-in's host."""

    accounts: Sequence[Account]
    sessions: Sessions
    mailbox: Mailbox
    switches: Callable[[], SellerSwitches]

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [
            web.get(f"{IDMC}/oauth2/authorize", self.authorize),
            web.get(f"{IDMC}/login", self.form),
            web.post(f"{IDMC}/api/p/login", self.login),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """The cabinet asks who this is: back to it with a code, or on to the form."""
        known = self.sessions.sign_on(request.cookies.get(SSO_COOKIE))
        if known and known.account:
            said = {"code": self.sessions.ticket(known.account), "state": _state(request)}
            return found(f"{origin(request)}{MC}/login/oauth2/code/1?{urlencode(said)}")
        answer = found(f"{origin(request)}{IDMC}/login")
        _remember(answer, known or self.sessions.begin_sign_on())
        return answer

    async def form(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The page that browsers fill in."""
        return page("Kaspi.kz — вход", _FORM.replace("IDMC", IDMC).replace("MC", MC))

    async def login(self, request: web.Request) -> web.Response:
        """One step of a sign-in: a password, a phone, or a code."""
        said = await _said(request)
        known = self.sessions.sign_on(request.cookies.get(SSO_COOKIE))
        sign_on = known or self.sessions.begin_sign_on()
        try:
            answer = self._step(sign_on, said)
        except Flood as flood:
            wait = {"breakTimeSeconds": max(1, round(flood.seconds))}
            answer = json_reply({"errorCode": flood.error, "errorData": wait}, status=401)
        _remember(answer, sign_on)
        return answer

    def _step(self, sign_on: SignOn, said: Mapping[str, object]) -> web.Response:
        if code := said.get("_m_c") or said.get("_c"):
            return self._with_code(sign_on, str(code))
        if "_ph" in said:
            return self._by_phone(sign_on, str(said["_ph"]))
        account = self._named(str(said.get("_u", "")))
        if "_p" not in said:
            return json_reply({}) if account else _no("USER_NOT_FOUND")
        if account is None or said["_p"] != account.password:
            return _no("INVALID_CREDENTIALS")
        if not self.switches().mail_code:
            sign_on.sign_in(account)
            return json_reply(_THROUGH)
        sign_on.expect(account, self._send(account.email))
        return json_reply({"email": account.masked})

    def _by_phone(self, sign_on: SignOn, number: str) -> web.Response:
        digits = phone_digits(number)
        account = next((one for one in self.accounts if one.phone == digits), None)
        if account is None:
            return _no("USER_NOT_FOUND")
        sign_on.expect(account, self._send(account.phone))
        return json_reply({"phone": number})

    def _with_code(self, sign_on: SignOn, code: str) -> web.Response:
        if sign_on.asking is None or sign_on.code is None:
            return _no("MFA_CODE_EXPIRED")
        if code != sign_on.code:
            sign_on.wrong_codes += 1
            if sign_on.wrong_codes >= _PATIENCE:
                sign_on.code = None
            return _no("MFA_CODE_INVALID")
        sign_on.sign_in(sign_on.asking)
        return json_reply(_THROUGH)

    def _named(self, email: str) -> Account | None:
        return next((one for one in self.accounts if one.email == email.lower()), None)

    def _send(self, to: str) -> str:
        switches = self.switches()
        return self.mailbox.send(to, switches.code_pause, switches.codes_an_hour)


def _no(code: str) -> web.Response:
    return json_reply({"errorCode": code, "errorData": {}}, status=401)


def _remember(answer: web.Response, sign_on: SignOn) -> None:
    answer.set_cookie(SSO_COOKIE, sign_on.id, path=IDMC, httponly=True)


def _state(request: web.Request) -> str:
    return request.query.get("state", "")


async def _said(request: web.Request) -> Mapping[str, object]:
    """What a step says: JSON, or a form; what is neither says nothing."""
    if request.content_type == "application/x-www-form-urlencoded":
        return {name: str(value) for name, value in (await request.post()).items()}
    try:
        said = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return said if isinstance(said, dict) else {}
