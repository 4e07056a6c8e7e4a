"""What the pages of the JSON APIs have in common: the text, and answers without data."""

import msgspec

from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.people import without_people
from partners.call import Answer
from partners.kaspi.storefront import Block, BlockKind, recognise_block

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def json_text(answer: Answer) -> bytes:
    """The body without a byte order mark."""
    return without_mark(answer.body)


def without_mark(body: bytes) -> bytes:
    """Bytes without the mark that some servers put before their text."""
    return body.removeprefix(BYTE_ORDER_MARK)


def refusal(answer: Answer, where: str) -> TryAgain | Unreadable:
    """Why an answer holds no data: a block, an error of the API's own, or an unknown format.

    `where` says what was asked, for example "offers of 102298404, city 750000000".
    """
    block = recognise_block(answer, "json")
    if block is not None:
        return TryAgain.after(block)
    try:
        told = forgiving.parse(json_text(answer))
    except forgiving.TooDeep as abyss:
        return TryAgain(
            "too_deep",
            f"No answer of Kaspi does that ({abyss}; {where}): see who answers at KASPI_URL, or "
            "which proxy changes answers.",
        )
    except forgiving.NotJson:
        return TryAgain.after(Block.of(BlockKind.TRUNCATED))
    if answer.status != 200:
        return Unreadable(
            f"Kaspi answered {answer.status}: {_message(told)} ({where})",
            "The question was wrong or has gone out of date: compare the request with the site's.",
        )
    return Unreadable(
        f"nothing we know in {_beginning(told)} ({where})",
        "Kaspi has changed the answer: compare it with a recorded one.",
    )


def _message(told: object) -> str:
    """What a Spring error body says, for example {"status":405,"error":"Method Not Allowed"}."""
    if isinstance(told, dict):
        for key in ("message", "error"):
            if isinstance(told.get(key), str) and told[key]:
                return str(told[key])
    return _beginning(told)


def _beginning(told: object) -> str:
    """How an answer begins: its names and numbers. Texts may be anybody's, and this is logged."""
    text = without_people(msgspec.json.encode(_without_texts(told))).decode()
    return text if len(text) <= 100 else f"{text[:100]}…"


def _without_texts(value: object, depth: int = 8) -> object:
    """The shape of a value, and its numbers; what lies deep is not shown anyway."""
    match value:
        case dict() if depth:
            return {name: _without_texts(each, depth - 1) for name, each in value.items()}
        case list() if depth:
            return [_without_texts(each, depth - 1) for each in value]
        case str() | dict() | list():
            return "…"
    return value
