"""A short link: it leads to the address of a product."""

import attrs

from domain.identity import ProductId
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from partners.call import Answer
from partners.kaspi.storefront import NotAProduct, ShortLink, product_id, recognise_block


@attrs.frozen
class ShortLinkAnswer:
    """The answer to Storefront.short_link: a redirection (seen 2026)."""

    answer: Answer
    link: ShortLink

    def to_item(self) -> ProductId | TryAgain | Unreadable:
        """The product that the link leads to."""
        target = self.answer.headers.get("location", "")
        if 300 <= self.answer.status < 400 and target:
            return self._product(target)
        if block := recognise_block(self.answer, "html"):
            return TryAgain.after(block)
        return Unreadable(
            f"the short link {self.link} leads nowhere (status {self.answer.status})",
            "Open it in a browser and copy the address it leads to.",
        )

    def _product(self, target: str) -> ProductId | Unreadable:
        try:
            return product_id(target)
        except NotAProduct as error:
            return Unreadable(
                f"the short link {self.link} does not lead to a product: {error}",
                "Name the product by its id or address.",
            )
