"""Offers are made by a short cut, which must lead where the long way leads."""

import attrs
import pytest

from domain.offers import Offer
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from tests.pages.building import ALMATY, KETTLE, answer, offer, offers
from tests.pages.test_offers import NOW

FULL = offer(
    merchantName="Лавка",
    priceMinusBonus=900,
    merchantRating=4.8,
    delivery="2026-09-21T18:00:00.000+00:00",
    kdPoints=["5001_PP1"],
    deliveryOptions={"TO_DOOR": {"delivery": "2026-09-21T18:00:00.000+00:00"}},
)


@pytest.mark.parametrize(
    "sent",
    [pytest.param(offer(), id="with the fewest fields"), pytest.param(FULL, id="with many")],
)
def test_an_offer_is_as_if_made_by_its_own_init(sent: dict[str, object]) -> None:
    part = OffersPage(answer(offers(sent)), KETTLE, ALMATY, NOW).to_item()
    assert isinstance(part, OffersPart)
    (made,) = part.offers
    told = {field.name: getattr(made, field.name) for field in attrs.fields(Offer)}
    assert vars(made).keys() == told.keys()
    assert made == Offer(**told)
    assert hash(made) == hash(Offer(**told))
