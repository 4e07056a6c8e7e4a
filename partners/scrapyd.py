"""How scrapyd is asked to start, watch and cancel jobs, and what it answers (scrapyd 1.6)."""

import base64
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlencode

import attrs

from partners.call import Answer, Call


class JobState(Enum):
    """Where a job is. Scrapyd says `finished` of every job that has ended, well or not."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    UNKNOWN = None


class DaemonRefuses(RuntimeError):
    """What scrapyd answered is no answer to the question; the text says what it said."""


@attrs.frozen(kw_only=True)
class Job:
    """What scrapyd is to start. `version`: of the egg; None: the latest, or the checkout."""

    id: str
    spider: str
    arguments: Mapping[str, str] = attrs.field(factory=dict)
    settings: Mapping[str, str] = attrs.field(factory=dict)
    version: str | None = None


@attrs.frozen(kw_only=True)
class Scrapyd:
    """A scrapyd at an address, with what it calls the project, and who we are to it."""

    address: str
    project: str
    username: str = ""
    password: str = attrs.field(default="", repr=False)

    def schedule(self, job: Job) -> Call:
        """Queue a job under an id of ours."""
        form = [("project", self.project), ("spider", job.spider), ("jobid", job.id)]
        if job.version:
            form.append(("_version", job.version))
        form += [("setting", f"{name}={value}") for name, value in job.settings.items()]
        return self._post("schedule.json", [*form, *job.arguments.items()])

    def status(self, job_id: str) -> Call:
        """Ask where a job is."""
        return self._get("status.json", [("project", self.project), ("job", job_id)])

    def cancel(self, job_id: str, signal: str = "INT") -> Call:
        """Take a job from the queue, or send its process a signal."""
        form = [("project", self.project), ("job", job_id), ("signal", signal)]
        return self._post("cancel.json", form)

    def _get(self, service: str, query: list[tuple[str, str]]) -> Call:
        address = f"{self.address.rstrip('/')}/{service}?{urlencode(query)}"
        return Call(method="GET", address=address, headers=self._headers())

    def _post(self, service: str, form: list[tuple[str, str]]) -> Call:
        return Call(
            method="POST",
            address=f"{self.address.rstrip('/')}/{service}",
            headers={**self._headers(), "Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )

    def _headers(self) -> dict[str, str]:
        if not self.username:
            return {}
        word = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {word}"}


def read_state(answer: Answer) -> JobState:
    """Where the job is. Raises DaemonRefuses."""
    said = _read(answer)
    try:
        return JobState(said.get("currstate"))
    except ValueError:
        raise DaemonRefuses(f"scrapyd knows a state {said['currstate']!r} that we do not") from None


def read_scheduled(answer: Answer) -> str:
    """The id of the job that was queued. Raises DaemonRefuses."""
    return str(_read(answer).get("jobid"))


def read_cancelled(answer: Answer) -> JobState:
    """Where the job was before. Raises DaemonRefuses."""
    return JobState(_read(answer).get("prevstate"))


def _read(answer: Answer) -> Mapping[str, Any]:
    """The answer's values; an error comes with status 200, too. Raises DaemonRefuses."""
    if answer.status == 401:
        raise DaemonRefuses(
            f"scrapyd at {answer.address} wants another name or password: SCRAPYD_USERNAME and "
            "SCRAPYD_PASSWORD have to be the same for both"
        )
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise DaemonRefuses(
            f"what answers at {answer.address} (status {answer.status}) is not scrapyd: "
            "check SCRAPYD_URL"
        )
    if said.get("status") != "ok":
        raise DaemonRefuses(f"scrapyd refuses: {str(said.get('message')).strip()}")
    return said
