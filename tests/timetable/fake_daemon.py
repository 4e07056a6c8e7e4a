"""A scrapyd without a process: it holds jobs, and the test says what becomes of them."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import attrs
import msgspec

from kaspi_crawler.timetable.daemon import DaemonAway
from partners.call import Answer, Call
from partners.scrapyd import Scrapyd

T = TypeVar("T")

NOWHERE = Scrapyd(address="http://127.0.0.1:1", project="kaspi_crawler")


@attrs.define
class FakeDaemon:
    """Answers as scrapyd does. `away`: it does not. `takes`: it knows the spider."""

    scrapyd: Scrapyd = NOWHERE
    jobs: dict[str, str] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    signals: list[tuple[str, str]] = attrs.field(factory=list)
    away: bool = False
    takes: bool = True

    async def ask(self, call: Call, read: Callable[[Answer], T]) -> T:
        """As Daemon.ask, without a network."""
        if self.away:
            raise DaemonAway("scrapyd does not answer at http://127.0.0.1:1")
        service = urlsplit(call.address).path.strip("/")
        form = parse_qs(call.body.decode() or urlsplit(call.address).query)
        told = {name: values[0] for name, values in form.items()}
        return read(Answer(status=200, body=self._answer(service, told), address=""))

    def _answer(self, service: str, told: dict[str, str]) -> bytes:
        said: dict[str, object] = {"status": "ok"}
        if service == "status.json":
            said["currstate"] = self.jobs.get(told["job"])
        elif service == "cancel.json":
            self.signals.append((told["job"], told["signal"]))
            said["prevstate"] = self.jobs.pop(told["job"], None)
        elif self.takes:
            self.asked.append(told["jobid"])
            self.jobs[told["jobid"]] = "pending"
            said["jobid"] = told["jobid"]
        else:
            said = {"status": "error", "message": f"spider '{told['spider']}' not found"}
        return msgspec.json.encode(said)
