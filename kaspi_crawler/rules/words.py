"""The words that may be chosen in a cell, in English and Russian."""

import re
from collections.abc import Mapping

import attrs

from kaspi_crawler.said import Language


@attrs.frozen
class Words:
    """The choices of a column: what each is called in Russian, and what else people call it."""

    russian: Mapping[str, str]
    others: Mapping[str, str]

    def found(self, text: str) -> str | None:
        """The choice that is meant, None when none is."""
        plain = _plain(text)
        for choice, name in self.russian.items():
            if plain in {choice, _plain(name)}:
                return choice
        return self.others.get(plain)

    def names(self, language: Language) -> list[str]:
        """The choices as they are called in a language."""
        return [self.name(choice, language) for choice in self.russian]

    def name(self, choice: str, language: Language) -> str:
        """A choice as it is called in a language; one that is not known, as it is written."""
        return self.russian.get(choice, choice) if language is Language.RUSSIAN else choice


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold().replace("ё", "е"))


def _words(russian: Mapping[str, str], others: str = "") -> Words:
    """`others` is written as "another name = choice; …"."""
    pairs = (pair.split("=") for pair in others.split(";") if pair.strip())
    return Words(russian, {_plain(name): choice.strip() for name, choice in pairs})


#: By column.
WORDS: Mapping[str, Words] = {
    "strategy": _words(
        {
            "undercut": "подрезать",
            "match": "сравняться",
            "position": "место",
            "follow": "следовать",
            "premium": "выше",
            "hold": "держать",
            "profit": "прибыль",
        },
        "демпинг=undercut; ниже=undercut; дешевле=undercut; наравне=match; позиция=position; "
        "премиум=premium; дороже=premium; не менять=hold; макс прибыль=profit; "
        "максимум прибыли=profit",
    ),
    "when_alone": _words(
        {"ceiling": "потолок", "hold": "держать"}, "максимум=ceiling; не менять=hold"
    ),
    "when_unbeatable": _words(
        {"hold": "держать", "ceiling": "потолок", "lowest": "минимум"},
        "максимум=ceiling; не менять=hold; lowest allowed=lowest; floor=lowest",
    ),
    "when_tied": _words({"undercut": "подрезать", "match": "сравняться"}, "наравне=match"),
    "when_followed": _words(
        {"undercut": "подрезать", "meet": "сравняться"}, "наравне=meet; match=meet"
    ),
    "compare_delivery": _words(
        {"any": "любая", "same_or_faster": "не медленнее", "faster_by": "быстрее на"},
        "none=any; ignore=any; false=any; нет=any; не важно=any; true=same_or_faster; "
        "такая же или быстрее=same_or_faster",
    ),
    "zone": _words(
        {"city": "город", "country": "страна"},
        "town=city; nationwide=country; по городу=city; по стране=country; казахстан=country; "
        "по казахстану=country",
    ),
    "do": _words(
        {"work": "работать", "hold": "держать", "ceiling": "потолок", "reset": "сброс"},
        "работа=work; не менять=hold; максимум=ceiling; сбросить=reset",
    ),
}

#: A switch: what is on, and what is off.
YES = frozenset({"yes", "да", "true", "1", "вкл", "on", "y", "истина", "+"})
NO = frozenset({"no", "нет", "false", "0", "выкл", "off", "n", "ложь"})


def yes_or_no(*, on: bool, language: Language) -> str:
    """A switch as a cell says it."""
    if language is Language.RUSSIAN:
        return "да" if on else "нет"
    return "yes" if on else "no"
