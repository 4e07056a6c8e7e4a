"""What is told to people, in both of their languages."""

from enum import StrEnum

import attrs


class Language(StrEnum):
    """The language in which people are spoken to."""

    ENGLISH = "en"
    RUSSIAN = "ru"


@attrs.frozen
class Said:
    """The same in English and in Russian."""

    en: str
    ru: str

    def in_(self, language: Language) -> str:
        """What to say to somebody."""
        return self.ru if language is Language.RUSSIAN else self.en


def same(text: str) -> Said:
    """What needs no translation."""
    return Said(text, text)


def spaced(number: int) -> str:
    """A whole number as Russian texts write it: 12 345."""
    return f"{number:,}".replace(",", " ")


def number(amount: int, language: Language) -> str:
    """A whole number as texts of a language write it: 12,345, 12 345."""
    return spaced(amount) if language is Language.RUSSIAN else f"{amount:,}"
