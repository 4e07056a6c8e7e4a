"""The service over real sockets: one tag a version, whole files, and no patience with liars."""

import base64
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import attrs
import pytest

from domain.feed_succession import OwnOffer
from kaspi_crawler.feed.pulls import Pull, PullLog
from kaspi_crawler.feed.versions import Shelf
from tests.feed.building import NOON, STORE, listing, writer

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PATH = f"/{STORE}.xml"


@attrs.frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class Service:
    """A service of the feeds below a directory."""

    port: int
    directory: Path

    def ask(self, path: str = PATH, method: str = "GET", **headers: str) -> Answer:
        """Ask once; in names of headers _ stands for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, body)

    def call(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def pulls(self, least: int = 1) -> list[Pull]:
        """What is logged: an answer's line may come a moment after the answer."""
        return eventually(
            lambda: pulls if len(pulls := list(PullLog(self.directory).read())) >= least else None
        )


def eventually(look: Callable[[], T | None]) -> T:
    """What a look finds, within ten seconds."""
    ends = time.monotonic() + 10
    while (found := look()) is None and time.monotonic() < ends:
        time.sleep(0.02)
    assert found is not None
    return found


@contextmanager
def serving(
    directory: Path, name: str = "", password: str = "", **limits: int
) -> Iterator[Service]:
    command = [sys.executable, "-m", "tests.feed.serving", str(directory), json.dumps(limits)]
    with subprocess.Popen(
        [*command, name, password], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield Service(int(process.stdout.readline()), directory)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of one feed in its first version."""
    directory = tmp_path_factory.mktemp("feeds")
    writer(directory).write([listing(1), listing(2)])
    with serving(directory) as service:
        yield service


def content(service: Service) -> bytes:
    return Shelf(service.directory, STORE).served.read_bytes()


def test_the_feed_is_handed_out(service: Service) -> None:
    answer = service.ask()
    assert answer.status == 200
    assert answer.body == content(service)
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"].startswith('"')
    written = Shelf(service.directory, STORE).served.stat().st_mtime
    assert parsedate_to_datetime(answer.headers["last-modified"]).timestamp() == int(written)
    assert "server" not in answer.headers


def test_head_says_the_same_without_the_feed(service: Service) -> None:
    whole, head = service.ask(), service.ask(method="HEAD")
    assert head.body == b""
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


def test_the_feed_is_packed_when_that_is_asked_for(service: Service) -> None:
    answer = service.ask(Accept_Encoding="deflate, gzip;q=0.8")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.body) == content(service)
    assert answer.headers["etag"] == service.ask().headers["etag"][:-1] + '-gzip"'


@pytest.mark.parametrize("wish", ["identity", "gzip;q=0", "br", ""])
def test_it_is_not_packed_for_who_does_not_want_that(service: Service, wish: str) -> None:
    assert service.ask(Accept_Encoding=wish).body == content(service)


def tag(service: Service) -> str:
    return service.ask().headers["etag"]


@pytest.mark.parametrize(
    ("held", "status"),
    [
        pytest.param("{tag}", 304, id="the newest"),
        pytest.param('"older", {tag}', 304, id="the newest among others"),
        pytest.param("W/{tag}", 304, id="a weak one"),
        pytest.param("*", 304, id="any"),
        pytest.param('"older"', 200, id="an older one"),
        pytest.param("older", 200, id="something else"),
    ],
)
def test_who_holds_the_newest_version_is_told_so(service: Service, held: str, status: int) -> None:
    answer = service.ask(If_None_Match=held.format(tag=tag(service)))
    assert answer.status == status
    assert (answer.body == b"") == (status == 304)
    assert answer.headers["etag"] == tag(service)


def test_the_tag_of_the_packed_feed_is_known_too(service: Service) -> None:
    packed = service.ask(Accept_Encoding="gzip").headers["etag"]
    answer = service.ask(If_None_Match=packed)
    assert (answer.status, answer.headers["etag"]) == (304, packed)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        pytest.param(0, 304, id="as old"),
        pytest.param(9, 304, id="later"),
        pytest.param(-1, 200, id="earlier"),
    ],
)  # fmt: skip
def test_a_date_may_stand_in_for_the_tag(service: Service, seconds: int, status: int) -> None:
    changed = parsedate_to_datetime(service.ask().headers["last-modified"])
    since = format_datetime(changed + timedelta(seconds=seconds), usegmt=True)
    assert service.ask(If_Modified_Since=since).status == status
    assert service.ask(If_Modified_Since=since, If_None_Match='"x"').status == 200


@pytest.mark.parametrize("since", ["yesterday", "", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_a_date_that_is_none_is_passed_over(service: Service, since: str) -> None:
    assert service.ask(If_Modified_Since=since).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/", "/30000002.xml", f"{PATH}/", f"/previews{PATH}", "/pulls.jsonl", "/..%2f30000001.xml",
        f"/../feeds{PATH}", f"/versions/{STORE}/000001.xml.gz", f"{PATH}%00", "//30000001.xml",
    ],
)  # fmt: skip
def test_nothing_else_is_handed_out(service: Service, path: str) -> None:
    writer(service.directory, publish=False).write([listing(1), listing(2)])
    assert service.ask(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_service_is_for_reading(service: Service, method: str) -> None:
    assert service.ask(method=method, Content_Length="0").status == 405


@pytest.mark.parametrize(
    "body", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"], ids=["long", "chunked"]
)
def test_who_announces_a_body_is_cut_off(service: Service, body: str) -> None:
    with service.call() as line:
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n{body}\r\n\r\n".encode())
        with pytest.raises(ConnectionError):  # noqa: PT012
            while line.recv(1_000):
                pass
            raise ConnectionResetError
    assert service.ask().status == 200


def test_pulls_are_logged(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    with serving(tmp_path) as service:
        taken = service.ask(User_Agent="kaspi-bot/1.0\x7f", X_Forwarded_For="10.0.0.1, 203.0.113.7")
        held = service.ask(If_None_Match=taken.headers["etag"])
        service.ask("/30000002.xml")
        first, second = service.pulls(2)
    assert (first.store, first.status, first.whole) == (STORE, 200, True)
    assert first.size == len(taken.body)
    assert first.agent.startswith("kaspi-bot/1.0")
    assert first.source == "203.0.113.7"
    assert f'"{first.etag}"' == taken.headers["etag"]
    assert (held.status, second.status, second.size) == (304, 304, 0)
    assert second.source == "127.0.0.1"


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    with serving(tmp_path, "kaspi", "тайна") as service:
        statuses = [
            service.ask(Authorization=said).status
            for said in (basic("kaspi:тайна"), basic("kaspi:тайнa"), "Basic ===", "Bearer x", "")
        ]
        refused = service.ask("/unknown.xml")
        assert statuses == [200, 401, 401, 401, 401]
        assert refused.status == 401, "who does not know the password learns nothing of stores"
        assert refused.headers["www-authenticate"].startswith("Basic realm=")
        refusals = [pull for pull in service.pulls(2) if pull.status == 401]
        assert len(refusals) == 1, "refusals are logged once a minute"
        assert refusals[0].store == STORE, "where `scrapy feed status` looks for it"


@pytest.mark.parametrize(
    ("source", "agent", "counts"),
    [
        pytest.param("127.0.0.1", "curl/7.88.1", False, id="a person at this machine"),
        pytest.param("::1", "Wget/1.21", False, id="another one"),
        pytest.param("127.0.0.1", "kaspi-puller", True, id="by a proxy that names no visitor"),
        pytest.param("203.0.113.7", "curl/8.5", True, id="what fetches for Kaspi is not known"),
    ],
)
def test_a_look_from_this_machine_takes_nothing(source: str, agent: str, counts: bool) -> None:
    pull = Pull(
        at=NOON, store=STORE, source=source, agent=agent, status=200, etag="ab", size=9, whole=True
    )
    assert pull.took_it_whole is counts


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def many(price: int) -> Iterator[OwnOffer]:
    """A feed of 16 MB, more than a connection's buffers hold."""
    return (listing(number, price, model="Чайник" * 300) for number in range(4_000))


def test_a_new_version_does_not_disturb_who_reads_the_old_one(tmp_path: Path) -> None:
    writer(tmp_path).write(many(price=9))
    old = Shelf(tmp_path, STORE).served.read_bytes()
    with serving(tmp_path) as service, service.call() as line:
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = line.recv(1_000)
        writer(tmp_path).write(many(price=5))
        answer = service.ask()
        assert answer.body == Shelf(tmp_path, STORE).served.read_bytes() != old
        while block := line.recv(1 << 20):
            got += block
    assert got.partition(b"\r\n\r\n")[2] == old


def test_who_reads_for_too_long_is_cut_off(tmp_path: Path) -> None:
    writer(tmp_path).write(many(price=9))
    with serving(tmp_path, LONGEST_VISIT=1) as service, service.call() as line:
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        line.recv(1_000)
        [pull] = service.pulls()
    assert (pull.status, pull.whole) == (200, False)


def test_who_does_not_say_what_he_wants_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path, LONGEST_VISIT=1) as service, service.call() as line:
        line.sendall(b"GET /")
        with pytest.raises(ConnectionError):  # noqa: PT012
            line.recv(1)
            raise ConnectionResetError


def test_so_many_are_let_in_at_once(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    with serving(tmp_path, MOST_VISITS=2) as service:
        idle = [service.call(), service.call()]
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            service.ask()
        for line in idle:
            line.close()
        assert eventually(lambda: _answered(service)) == 200


def _answered(service: Service) -> int | None:
    try:
        return service.ask().status
    except (ConnectionError, http.client.HTTPException):
        return None


def test_a_file_that_was_put_there_by_hand_is_served_unpacked(tmp_path: Path) -> None:
    Shelf(tmp_path, STORE).served.write_bytes(b"<by-hand/>")
    with serving(tmp_path) as service:
        assert service.ask(Accept_Encoding="gzip").body == b"<by-hand/>"
        os.utime(Shelf(tmp_path, STORE).served, (1, 1))
        assert service.ask().headers["last-modified"] == "Thu, 01 Jan 1970 00:00:01 GMT"
