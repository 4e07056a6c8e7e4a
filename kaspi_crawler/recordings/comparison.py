"""A cassette against the one before it: what drifted, and whether the pages still read it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import lacks_state
from kaspi_crawler.recordings.cassettes import Kept, kept_in
from kaspi_crawler.recordings.drift import drift, shape_of_json, shape_of_page
from kaspi_crawler.recordings.subjects import Question, Subject
from partners.kaspi.storefront import Storefront

Held = Mapping[str, tuple[Question, Kept]]


@attrs.frozen(kw_only=True)
class Report:
    """Lines for people, and whether nothing needs a look."""

    lines: tuple[str, ...]
    is_well: bool


def held(subject: Subject, storefront: Storefront, directory: Path) -> Held:
    """The answers that are kept of a subject; nothing when there is no cassette yet."""
    cassette = directory / f"{subject.name}.json"
    if not cassette.exists():
        return {}
    kept = kept_in(cassette, subject, storefront)
    return {
        question.name: (question, kept[question.name])
        for question in subject.questions(storefront)
        if question.name in kept
    }


def compared(before: Held, after: Held) -> Report:
    """What a person should know of a new recording."""
    lines: list[str] = []
    for name, (question, kept) in after.items():
        lines += [f"  {name}: {complaint}" for complaint in complaints(question, kept)]
        if name in before:
            changed = drift(_shape(question, before[name][1]), _shape(question, kept))
            lines += [f"  {name}: {line}" for line in changed.lines]
    return Report(lines=tuple(lines), is_well=not lines)


def complaints(question: Question, kept: Kept) -> Iterator[str]:
    """What the page cannot read of an answer."""
    outcome = question.read(kept.answer, kept.moment)
    if isinstance(outcome, TryAgain | Unreadable):
        yield f"it is not read any more: {outcome.reason}. {outcome.remedy}"
    elif lacks_state(outcome):
        yield "the page is read from a lower rung: its state is gone or has changed"
    for unreadable in getattr(outcome, "unreadable", ()):
        yield f"a part is not read: {unreadable}"


def _shape(question: Question, kept: Kept) -> Mapping[str, frozenset[str]]:
    return (shape_of_page if question.is_page else shape_of_json)(kept.answer.body)
