"""What an import says: mistakes, warnings, what changed, and how to take it back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kaspi_crawler.rules.looked import Looked
from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.said import Language, Said, spaced

if TYPE_CHECKING:
    # At run time whoever has met the error has loaded it.
    from storage.rules import CannotUndo

#: So many warnings of one kind are told one by one.
_FEW = 5


def complaints(looked: Looked, language: Language) -> Iterator[str]:
    """All mistakes, one a line, and the first warnings of each kind."""
    for mistake in looked.mistakes:
        yield mistake.in_(language)
    for note in looked.notes:
        yield note.in_(language)
    yield from _warnings([*looked.erased, *looked.warnings], language)


def _warnings(warnings: Sequence[Mistake], language: Language) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for warning in warnings:
        seen[warning.what.en] += 1
        if seen[warning.what.en] <= _FEW:
            told = Said("warning", "замечание").in_(language)
            yield f"{told}: {warning.in_(language)}"
    more = sum(count - _FEW for count in seen.values() if count > _FEW)
    if more:
        yield Said(
            f"and {more:,} more such warnings (--errors FILE.csv has them all)",
            f"и ещё {spaced(more)} таких замечаний (все — в --errors FILE.csv)",
        ).in_(language)


def verdict(looked: Looked, language: Language) -> str:
    """How a file fares that is only checked."""
    if looked.right:
        rows = _many(looked.rows, "row")
        return Said(f"{rows}, all right", f"строк: {spaced(looked.rows)}, ошибок нет").in_(language)
    return _count(looked).in_(language)


def taken_back(looked: Looked, language: Language, *, done: bool) -> str:
    """How many values empty cells take back, or, when it is `done`, took."""
    count = len(looked.erased)
    now = "was" if count == 1 else "were"
    return Said(
        f"{_many(count, 'value')} that held {now} taken back, for the cells are empty"
        if done
        else f"{_many(count, 'value')} that hold{'s' * (count == 1)} now would be taken back, for "
        "the cells are empty: fill them, or leave their columns out",
        f"снято значений, которые действовали: {spaced(count)} (ячейки пусты)"
        if done
        else f"будет снято значений, которые действуют сейчас: {spaced(count)} (ячейки пусты; "
        "заполните их или уберите столбцы)",
    ).in_(language)


def refusal(looked: Looked, language: Language) -> str:
    """That nothing is applied, and what can be done."""
    remedy = Said("mend them and try again", "исправьте их и повторите")
    if not looked.spoilt:
        remedy = Said(
            "mend them, or apply the rows that are right with --partial",
            "исправьте их или примените верные строки: --partial",
        )
    counted = _count(looked)
    return Said(
        f"{counted.en}; nothing is applied: {remedy.en}",
        f"{counted.ru}; ничего не применено: {remedy.ru}",
    ).in_(language)


def _count(looked: Looked) -> Said:
    count = len(looked.mistakes)
    return Said(
        f"{_many(looked.rows, 'row')}, {_many(count, 'mistake')}",
        f"строк: {spaced(looked.rows)}, ошибок: {spaced(count)}",
    )


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def applied(changed: int, lines: int, rules: int, change: int | None, language: Language) -> str:
    """What a change did, its number, and how to undo it."""
    if change is None:
        return Said(
            f"{_many(lines, 'line')}, all as they were: nothing changed",
            f"строк: {spaced(lines)}, все как были: ничего не изменилось",
        ).in_(language)
    return Said(
        f"{_many(changed, 'line')} changed, {lines - changed:,} unchanged, "
        f"{_many(rules, 'rule')} made anew; "
        f"this is change {change}, and `scrapy rules undo {change}` takes it back",
        f"изменено строк: {spaced(changed)}, без изменений: {spaced(lines - changed)}, "
        f"новых правил: {spaced(rules)}; это изменение {change}, его отменяет "
        f"`scrapy rules undo {change}`",
    ).in_(language)


def moved(count: int, language: Language) -> str:
    """How many articles came under another card."""
    return Said(
        f"{_many(count, 'article')} moved to another card: what was pending for the old one is "
        "withdrawn, and `undo` does not bring it back",
        f"перешло на другую карточку: {spaced(count)}; цены, ждавшие для старой, отозваны, `undo` "
        "карточку не вернёт",
    ).in_(language)


def cannot_undo(error: "CannotUndo", language: Language) -> str:
    """Why a change cannot be taken back."""
    named = ", ".join(f"{store} {sku or '(умолчания)'}" for store, sku in error.altered[:3])
    why = (
        f"строк изменения {error.change}, которые с тех пор менялись ещё раз: "
        f"{spaced(len(error.altered))} ({named}): сначала отмените более поздние изменения"
        if error.altered
        else f"изменения {error.change} нет: их перечисляет `scrapy rules history`"
    )
    return Said(str(error), why).in_(language)


def left_out(looked: Looked, language: Language) -> str:
    """Which rows were not applied."""
    return Said(
        f"left out: {_many(looked.left_out, 'row')}, with the mistakes above, or of a store whose "
        "defaults are wrong",
        f"не применено строк: {spaced(looked.left_out)}, с ошибками выше или магазина, у которого "
        "ошибка в умолчаниях",
    ).in_(language)


def listed(added: int, changed: int, count: int, rules: int, language: Language) -> str:
    """What an import of listings did."""
    same = count - added - changed
    return Said(
        f"{_many(added, 'listing')} added, {changed:,} changed, {same:,} as they were; "
        f"{_many(rules, 'rule')} made of the stores' defaults",
        f"предложений добавлено: {spaced(added)}, изменено: {spaced(changed)}, без изменений: "
        f"{spaced(same)}; правил из умолчаний магазинов: {spaced(rules)}",
    ).in_(language)
