"""Cassettes in betamax's format: asking what they hold, keeping it, reading it back.

Refusals are never kept, and nothing reaches the disk before it is scrubbed.
"""

import base64
import gzip
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import requests
from betamax import Betamax
from betamax.cassette import Cassette
from betamax.cassette.interaction import Interaction

from domain.readings import ProductMissing
from kaspi_crawler.pages.outcomes import TryAgain
from kaspi_crawler.recordings.scrub import scrubbed_json, scrubbed_page
from kaspi_crawler.recordings.subjects import Question, Subject
from partners.call import Answer
from partners.kaspi.storefront import Storefront

#: Headers that say how to read a request or an answer; none of them names anybody.
_HARMLESS = frozenset(
    {
        *("accept", "accept-language", "origin", "referer", "user-agent", "x-ks-city"),
        *("content-type", "location"),
    }
)


class NotRecorded(ValueError):
    """An answer that is not worth keeping; the text says which, why, and what helps."""


@attrs.frozen(kw_only=True)
class Pace:
    """Seconds before each question to the API and before each page."""

    api: float
    page: float
    sleep: Callable[[float], None] = time.sleep


@attrs.frozen(kw_only=True)
class Kept:
    """One answer of a cassette, and when it came."""

    answer: Answer
    moment: datetime


def record(subject: Subject, storefront: Storefront, directory: Path, pace: Pace) -> Path:
    """Ask all questions about a subject and keep the answers; the cassette that was kept before
    is replaced when all of them came.

    Raises NotRecorded for a refusal, requests.RequestException when no answer comes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".recording-") as aside:
        with _session(Path(aside), subject.name) as ask:
            for question in subject.questions(storefront):
                pace.sleep(pace.page if question.is_page else pace.api)
                ask(question)
        made = Path(aside) / f"{subject.name}.json"
        _write_readably(made)
        kept = directory / made.name
        shutil.move(made, kept)
    return kept


def kept_in(cassette: Path, subject: Subject, storefront: Storefront) -> dict[str, Kept]:
    """What a cassette holds, by the names of the subject's questions."""
    told = json.loads(cassette.read_text(encoding="utf-8"))
    held = {_key(each["request"]): each for each in told["http_interactions"]}
    return {
        question.name: _kept(held[key])
        for question in subject.questions(storefront)
        if (key := (question.call.method, _path(question.call.address))) in held
    }


def _key(request: Mapping[str, Any]) -> tuple[str, str]:
    return request["method"], _path(request["uri"])


def _path(address: str) -> str:
    """The address without its host: a recording of the sandbox had another port."""
    return address.split("/", 3)[-1]


def _kept(interaction: Mapping[str, Any]) -> Kept:
    moment = datetime.fromisoformat(interaction["recorded_at"]).replace(tzinfo=UTC)
    return Kept(answer=answer_of(interaction["response"]), moment=moment)


def answer_of(response: Mapping[str, Any]) -> Answer:
    """A cassette's response as the pages read it, whether its body is text, base64 or packed."""
    body = response["body"]
    raw = (
        base64.b64decode(body["base64_string"])
        if "base64_string" in body
        else body["string"].encode()
    )
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    return Answer(
        status=response["status"]["code"],
        body=raw,
        address=response["url"],
        headers={name.lower(): values[0] for name, values in response["headers"].items()},
    )


@contextmanager
def _session(directory: Path, name: str) -> Iterator[Callable[[Question], None]]:
    """Asks questions of which betamax keeps what `_keep` left of them."""
    session = requests.Session()
    session.headers.clear()
    asked: list[Question] = []

    def keep(interaction: Interaction, _cassette: Cassette) -> None:
        _keep(interaction, asked[-1])

    def ask(question: Question) -> None:
        asked.append(question)
        call = question.call
        session.request(
            call.method,
            call.address,
            headers={**call.headers, "Accept-Encoding": "gzip"},
            data=call.body or None,
            allow_redirects=False,
            timeout=30,
        )

    # betamax knows hooks for all cassettes only.
    before, Cassette.hooks["before_record"] = Cassette.hooks["before_record"], [keep]
    recorder = Betamax(session, cassette_library_dir=str(directory))
    try:
        with recorder.use_cassette(name, record="all", preserve_exact_body_bytes=True):
            yield ask
    finally:
        Cassette.hooks["before_record"] = before
        session.close()


def _keep(interaction: Interaction, question: Question) -> None:
    """Leave what may be kept. Raises NotRecorded for what is not worth it."""
    request, response = interaction.data["request"], interaction.data["response"]
    answer = answer_of(response)
    outcome = question.read(answer, datetime.now(UTC))
    if isinstance(outcome, TryAgain):
        interaction.ignore()
        raise NotRecorded(
            f"{question.name}: refused ({outcome.reason}, {answer.status}). {outcome.remedy}"
        )
    if isinstance(outcome, ProductMissing):
        interaction.ignore()
        raise NotRecorded(f"{question.name}: there is no such product on the site")
    scrubbed = (
        scrubbed_page(answer.body)
        if question.is_page
        else scrubbed_json(answer.body, question.people)
    )
    response["body"] = {"encoding": "utf-8", "string": scrubbed.decode()}
    request["body"] = {"encoding": "utf-8", "string": question.call.body.decode()}
    for part in (request, response):
        part["headers"] = {
            header: values
            for header, values in part["headers"].items()
            if header.lower() in _HARMLESS
        }


def _write_readably(path: Path) -> None:
    """One line a field, so that a version control shows what moved."""
    told = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(told, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
