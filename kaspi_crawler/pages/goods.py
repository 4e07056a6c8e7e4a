"""A page of the cabinet's list of our goods."""

import attrs

from domain.cabinet import CabinetPage, Receipt, Refusal
from domain.identity import MerchantId
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from partners.call import Answer
from partners.kaspi.cabinet import NotACabinet, address_block, read_page, read_stores

_REMEDIES = {
    Refusal.FORBIDDEN: "See in the cabinet whether the account may manage this store's goods.",
    Refusal.BLOCKED: "The account asked too fast: the next reading goes on.",
}
_COMPARE = "Compare the question and the answer with recorded ones: the cabinet may have changed."


@attrs.frozen
class GoodsPage:
    """The answer to a question for a page of a store's list."""

    answer: Answer
    store: MerchantId

    def to_item(self) -> CabinetPage | TryAgain | Unreadable:
        """The page, with the articles that could not be read named in it."""
        if block := address_block(self.answer, "json"):
            return TryAgain.after(block)
        try:
            page = read_page(self.answer, self.store)
        except NotACabinet as error:
            return Unreadable(str(error), _COMPARE)
        return _refused(page) if isinstance(page, Receipt) else page


@attrs.frozen
class StoresAnswer:
    """The answer to the question which stores the account sees."""

    answer: Answer
    store: MerchantId

    def to_item(self) -> MerchantId | TryAgain | Unreadable:
        """The store, if it is among them."""
        if block := address_block(self.answer, "json"):
            return TryAgain.after(block)
        if self.store in read_stores(self.answer):
            return self.store
        return Unreadable("the account does not see this store", _REMEDIES[Refusal.FORBIDDEN])


def _refused(receipt: Receipt) -> TryAgain | Unreadable:
    refusal = receipt.refusal or Refusal.REJECTED
    if refusal is Refusal.UNAVAILABLE:
        return TryAgain("server_error", "The cabinet is in trouble: ask again in a minute.")
    return Unreadable(
        f"the cabinet refuses ({refusal}, {receipt.detail})", _REMEDIES.get(refusal, _COMPARE)
    )
