"""A seeded shop: the same seed gives the same cards on every machine."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random

import attrs

from domain.identity import ProductId
from sandbox.goods import KINDS, NO_BRAND, Kind, Trait

#: The storefront escapes titles as Go's html package does: &#34; and not &quot; (recorded 2025-10).
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})

#: Letters that become two or none; the others stand one for one.
_LATIN = str.maketrans(
    dict(zip("абвгдеёзийклмнопрстуфхыэқүұіңғөһә", "abvgdeeziiklmnoprstufhyekuuingoha", strict=True))
    | {
        "ж": "zh",
        "ц": "c",
        "ч": "ch",
        "ш": "sh",
        "щ": "sch",
        "ъ": "",
        "ь": "",
        "ю": "ju",
        "я": "ja",
    }
)

_DESCRIPTIONS = (
    "<p>{title} — удобная вещь на каждый день.<br />Собрано & проверено перед отправкой.</p>",
    "<p><strong>{title}</strong></p>\n<ul><li>Гарантия 12 месяцев</li><li>От 10 < 12 см</li></ul>",
    "<p>В комплекте: инструкция {{ru, kz}}, чехол.</p><p>Цвет &mdash; как на снимке.<br></p>",
    "<div>Произведено по заказу бренда {brand}.<br/>Не является публичной офертой.</div>",
)


@attrs.frozen
class Value:
    """One filled-in specification of one card."""

    trait: Trait
    values: tuple[str, ...]


@attrs.frozen
class Sibling:
    """A leaf of the configurator: which card sells this choice."""

    choice: str
    id: ProductId


@attrs.frozen
class Shade:
    """A colour of a family (None where goods differ by one thing only), with its siblings.

    `base_code` names the colour group, `11391140b`; reviews are shared inside it.
    """

    colour: str | None
    base_code: str
    images: tuple[str, ...]
    siblings: tuple[Sibling, ...]


@attrs.frozen(kw_only=True)
class Family:
    """Cards that differ in colour and choice alone."""

    kind: Kind
    model_code: str
    shades: tuple[Shade, ...]


@attrs.frozen(kw_only=True)
class Card:
    """One product card. `title` is raw text; `price` is the usual price in tenge."""

    id: ProductId
    kind: Kind
    brand: str
    title: str
    slug: str
    colour: str | None
    choice: str | None
    created_at: datetime
    values: tuple[Value, ...]
    images: tuple[str, ...]
    description: str | None
    base_codes: tuple[str, ...]
    review_group: str
    family: Family | None
    price: int

    @property
    def escaped_title(self) -> str:
        """The title as the page's state carries it: HTML-escaped."""
        return escaped(self.title)

    @property
    def path(self) -> str:
        """The card's path below the shop's root."""
        return f"/p/{self.slug}-{self.id}/"


@attrs.frozen
class Catalogue:
    """All cards by id, in the order in which they were made."""

    seed: int
    cards: Mapping[ProductId, Card]


def catalogue(seed: int, products: int) -> Catalogue:
    """Fill a shop with exactly this many cards, a third of them variants."""
    stock = _Stockroom(random=Random(f"{seed}/catalogue"))  # noqa: S311 - plausible, not secret
    cards: dict[ProductId, Card] = {}
    varied = 0
    while len(cards) < products:
        room = products - len(cards)
        made = stock.family(room) if varied * 3 < len(cards) and room > 1 else [stock.single()]
        varied += len(made) if len(made) > 1 else 0
        cards.update((card.id, card) for card in made)
    return Catalogue(seed, cards)


def escaped(text: str) -> str:
    """Text made safe for HTML, spelt as the storefront spells it."""
    return text.translate(_ESCAPES)


def slug(text: str) -> str:
    """A title the way addresses spell it: Latin letters, digits and dashes."""
    latin = text.lower().translate(_LATIN)
    kept = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in latin)
    return "-".join(kept.split())


@attrs.frozen(kw_only=True)
class _Design:
    """What all cards of a family, or one single card, have in common."""

    kind: Kind
    brand: str
    model: str
    values: tuple[Value, ...]
    description: str | None
    price: int
    created_at: datetime

    def title(self, colour: str | None, choice: str | None) -> str:
        words = {value.trait.code: value.values[0] for value in self.values}
        brand = "" if self.brand == NO_BRAND else self.brand
        pattern = {"noun": self.kind.noun, "brand": brand, "model": self.model}
        filled = self.kind.title.format(
            **{**words, **pattern, "colour": colour or "", "choice": choice or ""}
        )
        return " ".join(filled.split())


@attrs.define(kw_only=True)
class _Stockroom:
    """Invents cards one after another from one stream of chance."""

    random: Random
    taken: dict[str, None] = attrs.Factory(dict)

    @cached_property
    def singles(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in KINDS if not kind.varies)

    @cached_property
    def families(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in KINDS if kind.varies)

    def single(self) -> Card:
        design = self.design(self.random.choice(KINDS))
        kind = design.kind
        colour = self.random.choice(kind.colours) if kind.colours else None
        choice = self.random.choice(kind.choice.values) if kind.choice else None
        return self.card(
            design, self.product_id(), colour, choice, images=self.images(), codes=(), family=None
        )

    def family(self, room: int) -> list[Card]:
        """A family of at most `room` cards; siblings' ids are apart, as real ones are."""
        design = self.design(self.random.choice(self.families))
        family = Family(
            kind=design.kind,
            model_code=self.model_code(design),
            shades=tuple(self.shades(design.kind, room)),
        )
        return [
            self.card(
                design,
                sibling.id,
                shade.colour,
                sibling.choice,
                images=shade.images,
                codes=(family.model_code, shade.base_code),
                family=family,
            )
            for shade in family.shades
            for sibling in shade.siblings
        ]

    def shades(self, kind: Kind, room: int) -> Iterator[Shade]:
        colours = self.some(kind.colours, 3) or (None,)
        for colour in colours:
            choices = self.some(kind.choice.values if kind.choice else (), 5)[:room]
            room -= len(choices)
            if choices:
                siblings = tuple(Sibling(choice, self.product_id()) for choice in choices)
                yield Shade(colour, f"{self.number(8)}b", self.images(), siblings)

    def design(self, kind: Kind) -> _Design:
        random = self.random
        brand, model = random.choice(kind.brands), random.choice(kind.models)
        dearest = kind.cheapest + (kind.dearest - kind.cheapest) // random.randint(1, 12)
        return _Design(
            kind=kind,
            brand=brand,
            model=model,
            values=tuple(
                Value(trait, self.some(trait.values, trait.several)) for trait in kind.traits
            ),
            description=self.description(brand, f"{kind.noun} {model}"),
            price=random.randint(kind.cheapest, dearest),
            created_at=self.moment(),
        )

    def card(
        self,
        design: _Design,
        number: ProductId,
        colour: str | None,
        choice: str | None,
        *,
        images: tuple[str, ...],
        codes: tuple[str, ...],
        family: Family | None,
    ) -> Card:
        title = design.title(colour, choice)
        return Card(
            id=number,
            kind=design.kind,
            brand=design.brand,
            title=title,
            slug=slug(title if choice is None or choice in title else f"{title} {choice}"),
            colour=colour,
            choice=choice,
            created_at=design.created_at + timedelta(seconds=self.random.randrange(10_000_000)),
            values=design.values,
            images=images,
            description=design.description,
            base_codes=codes,
            review_group=codes[-1] if codes else number,
            family=family,
            price=design.price * self.random.randint(94, 106) // 100,
        )

    def model_code(self, design: _Design) -> str:
        """`[Master - Smartphones][tulpar]{102492502}`: braces that naive scanners trip over."""
        return f"[Master - {design.kind.leaf}][{slug(design.brand)}]{{{self.number(9)}}}"

    def description(self, brand: str, title: str) -> str | None:
        if self.random.random() < 0.75:
            return None
        return self.random.choice(_DESCRIPTIONS).format(brand=escaped(brand), title=escaped(title))

    def some(self, values: tuple[str, ...], most: int) -> tuple[str, ...]:
        """One to `most` of the values, in their own order."""
        if not values:
            return ()
        count = self.random.randint(1, min(most, len(values)))
        chosen = sorted(self.random.sample(range(len(values)), count))
        return tuple(values[index] for index in chosen)

    def images(self) -> tuple[str, ...]:
        return tuple(self.image() for _ in range(self.random.randint(1, 6)))

    def image(self) -> str:
        """A location of the old or the new shape, now and then in capitals (recorded 2025-08)."""
        random = self.random
        letter = random.choice("hp")
        folders = f"{letter}{random.randrange(256):02x}/{letter}{random.randrange(256):02x}"
        if letter == "h":
            return f"{folders}/{self.number(14)}.{random.choice(('jpg', 'jpg', 'png', 'JPG'))}"
        return f"{folders}/{self.number(8)}.{random.choice(('jpeg', 'jpg', 'png'))}"

    def moment(self) -> datetime:
        first = datetime(2019, 1, 1, tzinfo=UTC)
        return first + timedelta(milliseconds=self.random.randrange(6 * 365 * 86_400_000))

    def product_id(self) -> ProductId:
        while (number := str(self.random.randrange(100_000_000, 150_000_000))) in self.taken:
            pass
        self.taken[number] = None
        return ProductId(number)

    def number(self, digits: int) -> str:
        return str(self.random.randrange(10 ** (digits - 1), 10**digits))
