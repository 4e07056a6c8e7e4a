"""The columns of a table of rules and of a table of listings: names, meanings, examples."""

from collections.abc import Callable, Mapping
from functools import cached_property

import attrs

from kaspi_crawler.rules import cells
from kaspi_crawler.rules.cells import FORMS, Form
from kaspi_crawler.rules.words import WORDS
from kaspi_crawler.said import Language, Said
from repricer.spoken import RULE_KEYS, Key


@attrs.frozen(slots=False, eq=False)
class Column:
    """A column: its key, its name in Russian, what it means, and a cell as an example."""

    key: str
    russian: str
    form: Form
    meaning: Said
    example: Said
    others: tuple[str, ...] = ()

    @property
    def is_rule(self) -> bool:
        """Whether it is a key of a rule, and no name of a thing."""
        return self.key in RULE_KEYS

    def title(self, language: Language) -> str:
        """What its header says."""
        return self.russian if language is Language.RUSSIAN else self.key

    @cached_property
    def choices(self) -> tuple[Said, ...]:
        """What may be chosen, where little may be."""
        if self.form is FORMS["switch"]:
            return (Said("yes", "да"), Said("no", "нет"))
        found = WORDS.get(self.key)
        return tuple(Said(*pair) for pair in found.russian.items()) if found else ()


def plain_title(text: str) -> str:
    """A header without what people write differently: case, spaces, signs."""
    folded = text.casefold().replace("ё", "е")
    return "".join(sign for sign in folded if sign.isalnum() or sign in "%₸")


@attrs.frozen(slots=False)
class Layout:
    """The columns of one kind of table, in their order; `needed` have to be there."""

    columns: tuple[Column, ...]
    needed: tuple[str, ...]

    @cached_property
    def by_key(self) -> Mapping[str, Column]:
        """Each column by its key."""
        return {column.key: column for column in self.columns}

    @cached_property
    def by_title(self) -> Mapping[str, Column]:
        """Each column by each of its names, as `plain_title` makes them."""
        return {
            plain_title(name): column
            for column in self.columns
            for name in (column.key, column.russian, *column.others)
        }


def _form(key: Key) -> Form:
    """How the cells of a rule's key are read."""
    low, high = key.lowest or 0, key.highest or 0
    if key.kind == "any":
        # Zero is "none" for a floor; for an offset both signs mean something.
        return cells.amount(0 if key.name == "floor" else low, high)
    if key.name.endswith("_bp") and key.kind != "shares":
        return cells.basis_points(low, high)
    if key.kind in _LIMITED:
        return _LIMITED[key.kind](low, high)
    if key.kind == "word":
        return cells.words(key.name)
    return FORMS[_FORMS_OF_KINDS.get(key.name) or _FORMS_OF_KINDS[key.kind]]


_LIMITED: Mapping[str, Callable[[int, int], Form]] = {
    "price": cells.amount,
    "amount": cells.amount,
    "many": cells.count,
    "power": cells.count,
    "count": cells.count,
    "shares": cells.shares_of_places,
}
_FORMS_OF_KINDS = {
    "follow": "merchant",
    "name": "text",
    "names": "merchants",
    "switch": "switch",
    "decimal": "weight",
    "rating": "rating",
    "windows": "windows",
}


def _rule(key: str, russian: str, example: str, en: str, ru: str) -> Column:
    """A key of a rule; the example in Russian stands behind a stroke where it differs."""
    english, _, other = example.partition("|")
    told = Said(english, other or english)
    return Column(key, russian, _form(RULE_KEYS[key]), Said(en, ru), told, _OTHERS.get(key, ()))


#: What people call a column, too.
_OTHERS = {
    "cost": ("себестоимость", "закупочная цена"),
    "floor": ("минимальная цена", "мин цена", "min"),
    "ceiling": ("максимальная цена", "макс цена", "max"),
    "weight_kg": ("вес",),
    "margin": ("маржа",),
    "windows": ("расписание", "schedule"),
}


_STORE = Column(
    "store",
    "Магазин",
    FORMS["store"],
    Said("the store's id in the marketplace", "id магазина на маркетплейсе"),
    Said("30000001", "30000001"),
    ("id магазина", "merchant"),
)
_SKU = Column(
    "sku",
    "Артикул",
    FORMS["text"],
    Said(
        "the article, as in the price list; empty: the row is the store's defaults",
        "артикул, как в прайс-листе; пусто: строка задаёт умолчания магазина",
    ),
    Said("KB-100", "KB-100"),
    ("код", "article"),
)
_PRODUCT = Column(
    "product",
    "Товар",
    FORMS["product"],
    Said(
        "the card that it is sold under, id or address; needed the first time",
        "карточка, под которой он продаётся: id или адрес; нужна в первый раз",
    ),
    Said("102298404", "102298404"),
    ("id товара", "kaspi_id", "карточка"),
)
_NAME = Column(
    "name",
    "Название",
    FORMS["text"],
    Said(
        "in the store's row the store's name; elsewhere the goods', for your eyes alone",
        "в строке магазина — его имя; в остальных — имя товара, только для вас",
    ),
    Said("Kettle KB-100", "Чайник KB-100"),
)
_CITY = Column(
    "city",
    "Город",
    FORMS["city"],
    Said(
        "city in which the row holds, over the row without a city; empty: everywhere",
        "город, в котором строка действует поверх строки без города; пусто: везде",
    ),
    Said("almaty", "almaty"),
)
_OWNER = Column(
    "owner",
    "Владелец",
    FORMS["text"],
    Said(
        "in the store's row: whose it is; stores of one owner never undercut each other",
        "в строке магазина: чей он; магазины одного владельца не сбивают цену друг другу",
    ),
    Said("My stores", "Мои магазины"),
)
_SISTERS = Column(
    "sisters",
    "Свои магазины",
    FORMS["merchants"],
    Said(
        "in the store's row: more stores of ours, which are no rivals",
        "в строке магазина: ещё наши магазины, они не конкуренты",
    ),
    Said("30000002, 30000003", "30000002, 30000003"),
)

#: The sheet that explains the columns.
EXPLANATIONS = Said("How to fill it in", "Как заполнять")

RULES = Layout(
    columns=(
        _STORE, _SKU, _NAME, _PRODUCT, _CITY,
        _rule("on", "Включено", "yes|да", "whether the price is worked on", "вести ли цену"),
        _rule("cost", "Закупка", "6500", "purchase cost of a piece", "закупочная цена штуки"),
        _rule("floor", "Минимум", "9000", "never below this price", "ниже этой цены — никогда"),
        _rule("ceiling", "Максимум", "12000", "never above", "выше этой цены — никогда"),
        _rule("margin_bp", "Маржа (%, б.п.)", "12.5 %|12,5 %",
              "what has to be earned of the price", "сколько от цены нужно заработать"),
        _rule("strategy", "Стратегия", "undercut|подрезать",
              "where to stand among the rivals", "где стоять среди конкурентов"),
        _rule("step", "Шаг", "1", "tenge below a rival", "на сколько тенге ниже конкурента"),
        _rule("step_bp", "Шаг (%, б.п.)", "0.5 %|0,5 %", "the same as a share: whichever is more",
              "то же долей цены: берётся больший шаг"),
        _rule("position", "Место", "2", "for the strategy position: the wanted place",
              "для стратегии «место»: какое нужно"),
        _rule("follow", "За продавцом", "11271005", "for the strategy follow: whom",
              "для стратегии «следовать»: за кем"),
        _rule("offset", "Отступ", "-100", "for follow: tenge above (or below) him",
              "для «следовать»: на сколько тенге выше (или ниже) него"),
        _rule("premium", "Надбавка", "300", "for premium: tenge above the cheapest rival",
              "для «выше»: на сколько тенге выше самого дешёвого"),
        _rule("margin", "Маржа ₸", "700", "tenge that a sale has to earn",
              "сколько тенге нужно заработать с продажи"),
        _rule("packaging", "Упаковка", "150", "packaging of a piece, tenge",
              "упаковка штуки, тенге"),
        _rule("category", "Категория", "Автотовары / Шины",
              "decides the commission; unknown ones pay the dearest",
              "по ней считается комиссия; неизвестная платит самую большую"),
        _rule("weight_kg", "Вес кг", "0.5|0,5",
              "decides the delivery fee from 10 000 ₸ on; empty: 1 kg",
              "от него зависит доставка при цене от 10 000 ₸; пусто: 1 кг"),
        _rule("zone", "Доставка по", "country|страна",
              "whose fee is counted: the dearer by default",
              "чей тариф считать; по умолчанию дороже"),
        _rule("when_alone", "Если один", "ceiling|потолок", "what to do without rivals",
              "что делать без конкурентов"),
        _rule("when_unbeatable", "Если не обойти", "hold|держать",
              "what to do when nobody can be beaten", "что делать, если никого не обойти"),
        _rule("when_tied", "Если наравне", "undercut|подрезать",
              "what to do at the same price as the rival", "что делать при равной цене"),
        _rule("when_followed", "Если пришёл за нами", "undercut|подрезать",
              "what to do with a rival who came after us: meet leaves both at one price",
              "что делать с тем, кто встал сразу под нами: сравняться — остаться наравне"),
        _rule("stock_low", "Мало штук", "3", "so many pieces in stock are few",
              "сколько штук — уже мало"),
        _rule("stock_low_raise_bp", "Мало штук: дороже на (%, б.п.)", "5 %",
              "then so much dearer than the strategy says", "тогда на столько дороже"),
        _rule("aged_days", "Залежался, дней", "60", "after so many days goods have lain too long",
              "через сколько дней товар залежался"),
        _rule("aged_margin", "Залежался: маржа ₸", "0", "then this margin instead of the usual one",
              "тогда такая маржа вместо обычной"),
        _rule("aged_margin_bp", "Залежался: маржа (%, б.п.)", "3 %",
              "then this share instead of the usual one", "тогда такая доля вместо обычной"),
        _rule("windows", "Часы", "22:00-07:00 hold; 09:00-18:00 work mon-fri"
              "|22:00-07:00 держать; 09:00-18:00 работать пн-пт",
              "what to do at which hours, Almaty time; days at the end, none: every day",
              "что делать в какие часы по Алматы; дни в конце, без них — ежедневно"),
        _rule("ignore", "Не замечать", "11271005, 30000009", "merchants who are no rivals",
              "продавцы, которых не замечать"),
        _rule("only", "Только против", "11271005", "only these merchants are rivals",
              "конкуренты только эти продавцы"),
        _rule("compare_delivery", "Сравнивать доставку", "same_or_faster|не медленнее",
              "which offers compete with ours", "чьи предложения — конкуренты нашим"),
        _rule("faster_by_days", "Быстрее на дней", "5", "for faster_by: what counts as faster",
              "для «быстрее на»: сколько дней"),
        _rule("faster_premium", "За скорость ₸", "500", "for faster_by: how much dearer we may be",
              "для «быстрее на»: на сколько можно быть дороже"),
        _rule("min_rating", "Рейтинг от", "4.5|4,5", "offers with less are no rivals",
              "с меньшим рейтингом — не конкуренты"),
        _rule("min_reviews", "Отзывов от", "10", "offers with less are no rivals",
              "с меньшим числом отзывов — не конкуренты"),
        _rule("skip_preorder", "Без предзаказа", "yes|да", "whether preorders are no rivals",
              "не считать предзаказы конкурентами"),
        _rule("use_bonus", "Считать бонусы", "yes|да", "whether a rival's bonus makes him cheaper",
              "вычитать ли бонусы из цены конкурента"),
        _rule("max_change_bp", "Скачок не больше (%, б.п.)", "30 %",
              "beyond this a person has to look",
              "дальше должен посмотреть человек"),
        _rule("max_change_day_bp", "За день не больше (%, б.п.)", "100 %",
              "the day's changes summed",
              "сумма изменений за день"),
        _rule("anomaly_bp", "Чужая правка от (%, б.п.)", "40 %",
              "our price was changed by somebody else: a person has to look",
              "цену изменил кто-то другой: должен посмотреть человек"),
        _rule("cooldown_minutes", "Пауза, минут", "30", "between two changes", "между изменениями"),
        _rule("patience_minutes", "Терпение, минут", "15",
              "between two cuts against rivals who come after us",
              "между снижениями против тех, кто идёт за нами"),
        _rule("min_gain", "Повышать от ₸", "10", "what a raise has to earn a sale",
              "сколько повышение должно дать с продажи"),
        _rule("shadow_bp", "Тень (%, б.п.)", "3 %",
              "we do not raise past a rival who is this close",
              "не поднимать цену мимо конкурента, который так близко"),
        _rule("idle_cuts", "Снижать без выгоды", "no|нет",
              "whether cuts that gain nothing are made",
              "снижать ли цену, когда это ничего не даёт"),
        _rule("shares_bp", "Доли мест", "5000, 2200, 1200",
              "for the strategy profit: buyers by place",
              "для стратегии «прибыль»: покупатели по местам"),
        _rule("elasticity", "Чуткость к цене", "5",
              "for profit: how many percent fewer buy when 1 % dearer",
              "для «прибыль»: на сколько % меньше покупают, если на 1 % дороже"),
        _rule("commission_bp", "Комиссия (%, б.п.)", "12.5 %|12,5 %",
              "yours instead of the tariff's",
              "ваша вместо тарифной"),
        _rule("payment_bp", "Платёж (%, б.п.)", "0.95 %|0,95 %", "yours instead of the tariff's",
              "ваш вместо тарифного"),
        _rule("tax_bp", "Налог (%, б.п.)", "4 %", "yours instead of the usual one",
              "ваш вместо обычного"),
        _rule("delivery_fee", "Доставка ₸", "1300", "yours instead of the tariff's, with VAT",
              "ваша вместо тарифной, с НДС"),
        _rule("absurd_low_bp", "Нелепо дёшево (%, б.п.)", "30 %",
              "of the cost and the median: what is below is nobody's price",
              "от закупки и медианы: дешевле — не цена"),
        _rule("absurd_ceiling_bp", "Нелепо дёшево от максимума (%, б.п.)", "10 %",
              "the same of the ceiling",
              "то же от максимума"),
        _rule("absurd_high_bp", "Нелепо дорого (%, б.п.)", "300 %",
              "of the median and the ceiling: what is above is nobody's price",
              "от медианы и максимума: дороже — не цена"),
        _OWNER, _SISTERS,
    ),
    needed=("store",),
)  # fmt: skip

LISTINGS = Layout(
    columns=(
        _STORE, attrs.evolve(_SKU, meaning=Said("the article", "артикул")), _PRODUCT,
        attrs.evolve(_NAME, meaning=Said("the goods' name", "название товара")),
        Column("price", "Цена", cells.amount(1, RULE_KEYS["cost"].highest or 0),
               Said("our price now", "наша цена сейчас"), Said("9990", "9990"),
               ("цена, ₸",)),
        Column("stock", "Остаток", cells.count(0, 1_000_000),
               Said("pieces in stock", "штук в наличии"), Said("7", "7"),
               ("количество", "наличие")),
        Column("stocked_on", "Поступил", FORMS["day"],
               Said("day on which the oldest pieces came in", "когда поступили самые старые штуки"),
               Said("2026-11-01", "01.11.2026"), ("дата поступления",)),
    ),
    needed=("store", "sku", "product"),
)  # fmt: skip
