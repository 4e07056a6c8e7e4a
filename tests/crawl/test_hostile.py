"""Answers that are too large, unpack without end or go too deep are refused by name."""

import gzip
import threading
import time
from pathlib import Path

import pytest
from aiohttp import web

from tests.crawl.conftest import Opener
from tests.crawl.crawling import PATIENCE, Ended, Workplace, listed
from tests.crawl.liar import Asked, Liar
from tests.crawl.market import ALMATY
from tests.crawl.test_products import CARDS

#: Megabytes that a crawl of these may take at its peak; a plain one takes some 110.
MEGABYTES = 350
LARGE = 100_000_000


async def large(asked: Asked) -> web.StreamResponse:
    """A hundred megabytes, announced."""
    return web.Response(body=b"[" * LARGE, content_type="application/json")


async def endless(asked: Asked) -> web.StreamResponse:
    """A hundred megabytes in pieces, without a length."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(asked.request)
    try:
        for _ in range(LARGE // 1_000_000):
            await response.write(b"[" * 1_000_000)
    except ConnectionError:  # the crawl has seen enough
        return response
    return response


BOMB = gzip.compress(b"\x00" * LARGE)


async def bomb(asked: Asked) -> web.StreamResponse:
    """A hundred kilobytes that unpack to a hundred megabytes."""
    assert len(BOMB) < 200_000
    return web.Response(
        body=BOMB, content_type="application/json", headers={"Content-Encoding": "gzip"}
    )


async def abyss(asked: Asked) -> web.StreamResponse:
    """JSON that is nested a hundred thousand times."""
    return web.Response(body=b"[" * 100_000 + b"]" * 100_000, content_type="application/json")


async def braces(asked: Asked) -> web.StreamResponse:
    """A page of a million braces in place of offers."""
    return web.Response(body=b"<script>" + b"{" * 1_000_000, content_type="text/html")


LIES = {
    "a hundred megabytes": (large, "too_large"),
    "a hundred megabytes without a length": (endless, "too_large"),
    "a bomb": (bomb, "too_large"),
    "an abyss": (abyss, "too_deep"),
    "a million braces": (braces, "html_instead_of_json"),
}
VICTIMS = dict(zip(LIES, list(CARDS)[10:], strict=False))
HONEST = list(CARDS)[5]


class Peak:
    """Watches how much memory a process has held at most, in MB."""

    def __init__(self, process: int) -> None:
        self._status = Path(f"/proc/{process}/status")
        self.megabytes = 0.0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            peak = [line.split()[1] for line in lines if line.startswith("VmHWM")]
            if not peak:
                return
            self.megabytes = int(peak[0]) / 1024
            time.sleep(0.02)

    def end(self) -> float:
        self._thread.join()
        return self.megabytes


@pytest.fixture(scope="module")
def hurt(open_workplace: Opener, liar: Liar) -> tuple[Ended, float, Workplace]:
    """A crawl of these answers, and its peak of memory."""
    place = open_workplace(liar.address)
    for name, product in VICTIMS.items():
        liar.lie("offers", product, LIES[name][0])
    told = {"products": listed([*VICTIMS.values(), HONEST]), "cities": ALMATY}
    with place.started("offers", told, settings={"BLOCKED_IN_A_ROW": 1_000}) as crawl:
        peak = Peak(crawl.process.pid)
        ended = crawl.end()
    liar.lies.clear()
    return ended, peak.end(), place


@pytest.mark.parametrize("name", LIES)
def test_it_is_refused_by_name(hurt: tuple[Ended, float, Workplace], name: str) -> None:
    ended, _, _ = hurt
    (told,) = ended.sentences_about(f"Product {VICTIMS[name]}", "was not read")
    assert LIES[name][1] in told
    assert "Traceback" not in ended.said


def test_the_memory_stays_bounded(hurt: tuple[Ended, float, Workplace]) -> None:
    _, megabytes, _ = hurt
    assert 30 < megabytes < MEGABYTES


def test_the_honest_answer_is_stored(hurt: tuple[Ended, float, Workplace]) -> None:
    ended, _, place = hurt
    assert ended.figures["read and stored"] == 1
    assert [line["kaspi_id"] for line in place.lines("offers")] == [HONEST]
