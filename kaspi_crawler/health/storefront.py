"""The storefront: whether it answers, what its clock says, what its robots.txt asks for."""

import email.utils
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import attrs

from domain.site import is_on_loopback
from kaspi_crawler.health.verdict import Verdict
from partners.call import Answer
from partners.kaspi.storefront import USER_AGENT, NotAnAddress, Storefront, recognise_block

#: How long one answer is waited for, in seconds.
PATIENCE = 5.0
#: So far apart clocks make histories doubtful, in seconds.
APART = 60
#: No robots.txt is longer, in bytes.
_LONGEST = 500_000
#: What robots.txt calls a visitor that it does not know.
_ANYBODY = "*"


@attrs.frozen(kw_only=True)
class Visit:
    """The one answer that was asked for, and when it came by our clock."""

    answer: Answer
    moment: datetime
    seconds: float


class _Stay(urllib.request.HTTPRedirectHandler):
    """One request is one request: a redirection is an answer like any other."""

    def redirect_request(self, *_arguments: object, **_more: object) -> None:
        return None


def verdicts(address: str, page_delay: float) -> Iterator[Verdict]:
    """Ask for robots.txt once, politely, and judge what comes. `page_delay` is ours, in seconds."""
    try:
        visit = _ask(Storefront(address).address + "/robots.txt")
    except NotAnAddress as error:
        yield Verdict.wrong("storefront", str(error), "Correct KASPI_URL, or unset it.")
        return
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        yield unreachable(address, error)
        return
    yield reached(visit)
    if date := visit.answer.headers.get("date"):
        yield clock(date, visit.moment)
    if visit.answer.status == 200:
        text = visit.answer.body.decode("utf-8", "replace")
        yield robots(text, page_delay, is_here=is_on_loopback(address))


def unreachable(address: str, error: Exception) -> Verdict:
    """Why no answer came."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ssl.SSLCertVerificationError):
        said = f"the certificate of {address} is not trusted: {reason.verify_message}"
        remedy = "Check the clock, install ca-certificates, or see who stands between."
        return Verdict.wrong("storefront", said, remedy)
    why = getattr(reason, "strerror", None) or reason
    if isinstance(reason, TimeoutError):
        why = f"no answer within {PATIENCE:.0f} s"
    remedy = "Check the network, the proxy (https_proxy) and KASPI_URL."
    return Verdict.wrong("storefront", f"{address} is not reached: {why}", remedy)


def reached(visit: Visit) -> Verdict:
    """Whether the answer is one of a storefront that lets us read."""
    answer, host = visit.answer, urlsplit(visit.answer.address).netloc
    if answer.status in {301, 302, 303, 307, 308}:
        said = f"{host} sends us to {answer.headers.get('location', 'another place')}"
        return Verdict.doubtful("storefront", said, "Set KASPI_URL to the address it sends us to.")
    if answer.status in {404, 410}:
        said = f"{host} answers, but has no robots.txt"
        return Verdict.doubtful("storefront", said, "Check that KASPI_URL names a storefront.")
    is_page = answer.body.lstrip()[:1] == b"<"
    block = recognise_block(answer, "json") if is_page or answer.status != 200 else None
    if block:
        said = f"{host} refuses us: {block.kind.value.replace('_', ' ')} ({answer.status})"
        return Verdict.wrong("storefront", said, block.remedy)
    if answer.status != 200:
        said = f"{host} answers {answer.status} to robots.txt"
        return Verdict.doubtful("storefront", said, "Check that KASPI_URL names a storefront.")
    return Verdict.well("storefront", f"{host} answers in {visit.seconds * 1000:.0f} ms")


def clock(date: str, moment: datetime) -> Verdict:
    """Whether our clock agrees with the Date header of an answer that came at a moment."""
    try:
        theirs = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return Verdict.well("clock", f"not compared: the storefront's date is {date!r}")
    ahead = (moment - theirs.replace(tzinfo=theirs.tzinfo or UTC)).total_seconds()
    if abs(ahead) <= APART:
        return Verdict.well("clock", f"within {APART} s of the storefront's")
    said = f"{abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} the storefront's"
    remedy = "Set the clock (`timedatectl set-ntp true`): every moment in the history is ours."
    return Verdict.doubtful("clock", said, remedy)


def robots(text: str, page_delay: float, *, is_here: bool) -> Verdict:
    """Whether we ask for pages as slowly as robots.txt wishes."""
    rules = RobotFileParser()
    rules.parse(text.splitlines())
    wished = rules.crawl_delay(_ANYBODY)
    if wished is None:
        return Verdict.well("robots.txt", "wishes no delay")
    said = f"wishes {wished} s between pages, ours is {page_delay:g} s"
    if page_delay >= float(wished):
        return Verdict.well("robots.txt", said)
    if is_here:
        return Verdict.well("robots.txt", f"{said}: a storefront on this machine bears it")
    return Verdict.doubtful("robots.txt", said, f"Set KASPI_PAGE_DELAY={wished}, or unset it.")


def _ask(address: str) -> Visit:
    """One GET. Raises OSError, HTTPException or UnicodeError (the host) when no answer comes."""
    request = urllib.request.Request(address, headers={"User-Agent": USER_AGENT})  # noqa: S310
    began = time.monotonic()
    try:
        response = urllib.request.build_opener(_Stay).open(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        answer = Answer(
            status=response.status,
            body=response.read(_LONGEST),
            address=address,
            headers={name.lower(): value for name, value in response.headers.items()},
        )
    return Visit(answer=answer, moment=datetime.now(UTC), seconds=time.monotonic() - began)
