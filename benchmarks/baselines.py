"""What we are measured against, written as such parsers are: SQLAlchemy's ORM, diffs in Python.

The tables are those of the original parser, which are narrower than ours: thirteen columns of a
product, four of an offer. A commit a product.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import attrs
from sqlalchemy import ARRAY, ForeignKey, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from storage.database import sqlalchemy_url


class Base(DeclarativeBase):
    """Tables of the baselines."""


class Product(Base):
    """A card as last read."""

    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    kaspi_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    category: Mapped[str | None]
    description: Mapped[str | None]
    min_price: Mapped[int | None]
    max_price: Mapped[int | None]
    rate: Mapped[str | None]
    review_amount: Mapped[int | None]
    seller_amount: Mapped[int]
    image_url: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    offers: Mapped[list["Offer"]] = relationship(back_populates="product")


class ProductHistory(Base):
    """A card as it was before a change."""

    __tablename__ = "product_history"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    min_price: Mapped[int | None]
    max_price: Mapped[int | None]
    rate: Mapped[str | None]
    review_amount: Mapped[int | None]
    seller_amount: Mapped[int]
    checked_at: Mapped[datetime]


class Offer(Base):
    """A seller's price as last read."""

    __tablename__ = "offer"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    seller: Mapped[str]
    price: Mapped[int]
    product: Mapped[Product] = relationship(back_populates="offers")


class OfferHistory(Base):
    """A seller's price before a change."""

    __tablename__ = "offer_history"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    seller: Mapped[str]
    price: Mapped[int]
    created_at: Mapped[datetime]


@attrs.frozen(kw_only=True)
class Told:
    """What was read of a product; prices of sellers are (seller, price)."""

    kaspi_id: str
    prices: Sequence[tuple[str, int]]
    name: str | None = None
    category: str | None = None
    description: str | None = None
    rate: str | None = None
    review_amount: int | None = None
    image_url: Sequence[str] | None = None


class Shelf:
    """Keeps products: select what is there, compare in Python, commit."""

    def __init__(self, address: str) -> None:
        self._engine = create_engine(sqlalchemy_url(address))
        Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def save(self, told: Told) -> None:
        """Store one product and commit."""
        with Session(self._engine) as session:
            product = session.scalar(select(Product).where(Product.kaspi_id == told.kaspi_id))
            if product is None:
                product = Product(kaspi_id=told.kaspi_id, seller_amount=0)
                session.add(product)
                _update(product, told)
                product.offers = [Offer(seller=name, price=price) for name, price in told.prices]
            else:
                _remember(session, product, told)
                _update(product, told)
            session.commit()


def _figures(told: Told) -> tuple[int | None, int | None, str | None, int | None, int]:
    prices = [price for _, price in told.prices]
    lowest, highest = min(prices, default=None), max(prices, default=None)
    return lowest, highest, told.rate, told.review_amount, len(prices)


def _update(product: Product, told: Told) -> None:
    product.name, product.category, product.description = told.name, told.category, told.description
    product.image_url = list(told.image_url) if told.image_url else None
    (
        product.min_price,
        product.max_price,
        product.rate,
        product.review_amount,
        product.seller_amount,
    ) = _figures(told)


def _remember(session: Session, product: Product, told: Told) -> None:
    """Write the old state of what differs, and the new prices."""
    now = datetime.now(UTC).replace(tzinfo=None)
    before = {
        "min_price": product.min_price,
        "max_price": product.max_price,
        "rate": product.rate,
        "review_amount": product.review_amount,
        "seller_amount": product.seller_amount,
    }
    if tuple(before.values()) != _figures(told):
        session.add(ProductHistory(product_id=product.id, checked_at=now, **before))
    held = {offer.seller: offer for offer in product.offers}
    for seller, price in told.prices:
        offer = held.get(seller)
        if offer is None:
            session.add(Offer(product_id=product.id, seller=seller, price=price))
        elif offer.price != price:
            session.add(
                OfferHistory(
                    product_id=product.id,
                    offer_id=offer.id,
                    seller=seller,
                    price=offer.price,
                    created_at=now,
                )
            )
            offer.price = price
