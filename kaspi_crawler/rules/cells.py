"""One cell: what it should be, and what it is worth. Money is whole tenge, never a fraction."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs

from domain.identity import CityId, MerchantId, ProductId
from kaspi_crawler.rules.raw import Broken, Percent, Raw, plain, shown
from kaspi_crawler.rules.windows import read_windows
from kaspi_crawler.rules.words import NO, WORDS, YES
from kaspi_crawler.said import Language, Said, spaced
from partners.kaspi.storefront import city_id, product_id
from partners.kaspi.storefront_listing import merchant_id

#: How a workbook shows basis points: whoever types 12.5 there means 12.5 %.
PERCENT = "0.00%"
#: What says "none, whatever the store's defaults are".
NONE = frozenset({"-", "–", "—"})
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']+")
_UNITS = re.compile(
    r"\s*(?:₸|тг\.?|тнг\.?|тенге|kzt|tg|дней|дня|день|days?|шт\.?|мин\.?)$", re.IGNORECASE
)
_WHOLE = re.compile(r"([+-]?)(\d{1,3}(?: \d{3})+|\d+)(?:[.,]0{1,2})?")
_PERCENT = re.compile(r"([+-]?)(\d{1,7})(?:[.,](\d{1,6}))?\s*%")
_DECIMAL = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")
_KILOGRAMS = re.compile(r"\s*(?:kg|кг)\.?$", re.IGNORECASE)
#: How a spreadsheet abbreviates a long number, and has lost its end.
_ABBREVIATED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
#: A spreadsheet keeps fifteen digits of a number.
_ROUNDED = 10**15
_LONGEST = 500

_NOT_RIGHT = Said("is not right", "не подходит")
_ROUNDED_WHY = Said(
    "is a number that the spreadsheet has shortened",
    "— число, которое таблица сократила",
)


class Wrong(ValueError):
    """A cell that cannot be used; `why` says what it is instead."""

    def __init__(self, why: Said = _NOT_RIGHT) -> None:
        super().__init__(why.en)
        self.why = why


#: Raises Wrong.
Reader = Callable[[Raw], Any]


@attrs.frozen
class Form:
    """What the cells of a column are: how they are read, and what would be right."""

    read: Reader
    right: Said
    #: What a workbook shows the cells as.
    looks: str = "General"


def _text_of(raw: Raw) -> str:
    """A cell that is text, as it is typed. Raises Wrong for what is no text."""
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, Broken):
        raise Wrong(raw.why)
    if isinstance(raw, tuple):
        return "; ".join(raw)
    if isinstance(raw, date):
        raise Wrong(
            Said("is a date: the spreadsheet made it one", "— дата: в неё превратила таблица")
        )
    return shown(raw)


def whole(lowest: int, highest: int) -> Reader:
    """A whole number within limits, however its thousands are set apart. Raises Wrong."""

    def read(raw: Raw) -> int:
        if type(raw) is int:
            value: int | None = raw
        elif isinstance(raw, Percent | bool):
            raise Wrong
        else:
            value = _whole(_text_of(raw))
        if value is None or not lowest <= value <= highest:
            raise Wrong
        return value

    return read


def _whole(text: str) -> int | None:
    if text.isdecimal() and len(text) < 20:
        return int(text)
    bare = _SPACES.sub(" ", _UNITS.sub("", text.replace("−", "-"))).strip()
    found = _WHOLE.fullmatch(bare)
    if not found or len(found[2]) > 20:
        return None
    return int(found[1] + found[2].replace(" ", ""))


def points(lowest: int, highest: int) -> Reader:
    """Basis points: a percentage, or their whole number. Raises Wrong."""
    read_whole = whole(lowest, highest)

    def read(raw: Raw) -> int:
        share = raw.share if isinstance(raw, Percent) else None
        if isinstance(raw, str):
            share = _percentage(raw)
        if share is None:
            return int(read_whole(raw))
        if share * 10_000 != int(share * 10_000):
            raise Wrong(Said("is finer than 0.01 %", "— точнее, чем 0,01 %"))
        return int(read_whole(int(share * 10_000)))

    return read


def _percentage(text: str) -> Decimal | None:
    found = _PERCENT.fullmatch(text.strip().replace("−", "-"))
    return found and Decimal(f"{found[1]}{found[2]}.{found[3] or 0}") / 100


def decimal(highest: int) -> Reader:
    """A number from zero up, as a rule has it: an int, or a Decimal. Raises Wrong."""

    def read(raw: Raw) -> int | Decimal:
        if isinstance(raw, Percent | bool):
            raise Wrong
        text = plain(raw) if isinstance(raw, int | Decimal) else _text_of(raw)
        text = _KILOGRAMS.sub("", text)
        if not _DECIMAL.fullmatch(text):
            raise Wrong
        value = Decimal(text.replace(",", "."))
        if value > highest:
            raise Wrong
        return int(value) if value == int(value) else value.normalize()

    return read


def switch(raw: Raw) -> bool:
    """On or off. Raises Wrong."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, Percent):
        raise Wrong
    plain_text = _text_of(raw).casefold()
    if plain_text in YES or plain_text in NO:
        return plain_text in YES
    raise Wrong


def word(column: str) -> Reader:
    """One of the words of a column. Raises Wrong."""

    def read(raw: Raw) -> str:
        found = WORDS[column].found(_text_of(raw))
        if found is None:
            raise Wrong
        return found

    return read


def text(raw: Raw) -> str:
    """A text, or a number that stands for one. Raises Wrong when a spreadsheet has spoilt it."""
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) >= _ROUNDED:
        raise Wrong(_ROUNDED_WHY)
    said = _text_of(raw)
    if _ABBREVIATED.fullmatch(said):
        raise Wrong(_ROUNDED_WHY)
    if len(said) > _LONGEST or not said.isprintable():
        raise Wrong
    return said


def store(raw: Raw) -> MerchantId:
    """A merchant's id, or the address of its page. Raises Wrong."""
    return MerchantId(_by(merchant_id, text(raw)))


def product(raw: Raw) -> ProductId:
    """A product's id, or the address of its page. Raises Wrong."""
    return ProductId(_by(product_id, text(raw)))


def city(raw: Raw) -> CityId:
    """A city's id or name. Raises Wrong."""
    return CityId(_by(city_id, text(raw)))


def _by(read: Callable[[str], str], said: str) -> str:
    try:
        return read(said)
    except ValueError:
        raise Wrong from None


def _parts(raw: Raw) -> list[str]:
    if isinstance(raw, tuple):
        return [part.strip() for part in raw if part.strip()]
    return [part for part in re.split(r"[\s,;]+", text(raw)) if part]


def merchants(raw: Raw) -> list[str]:
    """Merchants' ids, each once, in the order given.

    Raises Wrong, also where blanks separate words: `Kok Home 116` is a name, not three ids.
    """
    if not isinstance(raw, tuple):
        for part in re.split(r"[,;\n]+", text(raw)):
            words = part.split()
            if len(words) > 1 and not all(word.isdecimal() for word in words):
                raise Wrong
    return list(dict.fromkeys(_by(merchant_id, part) for part in _parts(raw)))


def merchant(raw: Raw) -> str:
    """One merchant's id. Raises Wrong."""
    return str(store(raw))


def shares(lowest: int, highest: int) -> Reader:
    """Basis points, one a place. Raises Wrong."""
    read_one = points(lowest, highest)

    def read(raw: Raw) -> list[int]:
        if isinstance(raw, int) and not isinstance(raw, bool):
            return [read_one(raw)]
        if isinstance(raw, Percent):
            return [read_one(raw)]
        bare = re.sub(r"\s+%", "%", _text_of(raw))
        parts = raw if isinstance(raw, tuple) else re.split(r"[\s,;]+", bare)
        read_parts = [read_one(part) for part in parts if part]
        if not read_parts:
            raise Wrong
        return read_parts

    return read


def windows(raw: Raw) -> list[dict[str, Any]]:
    """Windows of the day. Raises Wrong."""
    read = read_windows(_text_of(raw))
    if not read:
        raise Wrong
    return read


def day(raw: Raw) -> date:
    """A calendar day: a date of a workbook, 2026-11-26 or 26.11.2026. Raises Wrong."""
    if isinstance(raw, date):
        return raw
    said = _text_of(raw)
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(said, pattern).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            continue
    raise Wrong


_AMOUNT = "#,##0"
_RIGHT_MERCHANT = "11271005"


def _limits(lowest: int, highest: int) -> tuple[str, str]:
    return spaced(lowest), spaced(highest)


def amount(lowest: int, highest: int) -> Form:
    """Whole tenge."""
    low, high = _limits(lowest, highest)
    right = Said(f"whole tenge from {low} to {high}", f"целое число тенге от {low} до {high}")
    return Form(whole(lowest, highest), right, _AMOUNT)


def count(lowest: int, highest: int) -> Form:
    """A whole number of something."""
    low, high = _limits(lowest, highest)
    right = Said(f"a whole number from {low} to {high}", f"целое число от {low} до {high}")
    return Form(whole(lowest, highest), right, "0")


def basis_points(lowest: int, highest: int) -> Form:
    """A share."""
    low, high = plain(Decimal(lowest) / 100), plain(Decimal(highest) / 100)
    right = Said(
        f"a percentage from {low} % to {high} % (12.5 %), or basis points (1250)",
        f"процент от {low} % до {high} % (12,5 %) или базисные пункты (1250)",
    )
    return Form(points(lowest, highest), right, PERCENT)


def words(column: str) -> Form:
    """A choice."""
    choices = WORDS[column]
    right = Said(
        "one of " + ", ".join(choices.names(Language.ENGLISH)),
        "одно из: " + ", ".join(choices.names(Language.RUSSIAN)),
    )
    return Form(word(column), right)


_FEW = f"{_RIGHT_MERCHANT}, 30000001"
#: Forms that need no limits.
FORMS: Mapping[str, Form] = {
    "store": Form(
        store,
        Said(f"a merchant's id: {_RIGHT_MERCHANT}", f"id продавца: {_RIGHT_MERCHANT}"),
        "@",
    ),
    "product": Form(
        product,
        Said(
            "a product's id or address: 102298404, https://kaspi.kz/shop/p/…-102298404/",
            "id товара или адрес: 102298404, https://kaspi.kz/shop/p/…-102298404/",
        ),
        "@",
    ),
    "city": Form(
        city,
        Said(
            "a city's id or name: 750000000, almaty; empty: everywhere",
            "id города или его имя: 750000000, almaty; пусто: везде",
        ),
        "@",
    ),
    "text": Form(text, Said("a text of one line", "текст в одну строку"), "@"),
    "switch": Form(switch, Said("yes or no", "да или нет")),
    "merchant": Form(
        merchant,
        Said(f"one merchant's id: {_RIGHT_MERCHANT}", f"id одного продавца: {_RIGHT_MERCHANT}"),
        "@",
    ),
    "merchants": Form(
        merchants,
        Said(f"merchants' ids by commas: {_FEW}", f"id продавцов через запятую: {_FEW}"),
        "@",
    ),
    "windows": Form(
        windows,
        Said(
            "windows such as 22:00-07:00 hold; 09:00-18:00 work mon-fri "
            "(what to do: work, hold, ceiling, reset)",
            "окна, например 22:00-07:00 держать; 09:00-18:00 работать пн-пт "
            "(что делать: работать, держать, потолок, сброс)",
        ),
        "@",
    ),
    "day": Form(
        day,
        Said("a day: 2026-11-26 or 26.11.2026", "дата: 26.11.2026 или 2026-11-26"),
        "dd.mm.yyyy",
    ),
    "weight": Form(
        decimal(100_000),
        Said("kilograms from 0 to 100 000: 0.5", "килограммы от 0 до 100 000: 0,5"),
    ),
    "rating": Form(decimal(5), Said("a rating from 0 to 5: 4.5", "рейтинг от 0 до 5: 4,5")),
}


def shares_of_places(lowest: int, highest: int) -> Form:
    """A share for each place."""
    right = Said(
        "basis points a place by commas, the first place's first: 5000, 2200, 1200",
        "базисные пункты по местам через запятую, с первого: 5000, 2200, 1200",
    )
    return Form(shares(lowest, highest), right, "@")
