"""Price lists as the guide has them, written plainly: not by the engine's own writer."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook

COLUMNS = ["SKU", "model", "brand", "price", "PP1", "PP2", "PP3", "PP4", "PP5", "preorder"]


def catalog(merchant: str, *offers: str) -> bytes:
    """A whole XML list."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<kaspi_catalog date="string" xmlns="kaspiShopping"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="kaspiShopping http://kaspi.kz/kaspishopping.xsd">\n'
        f"<company>C</company>\n<merchantid>{merchant}</merchantid>\n"
        f"<offers>\n{chr(10).join(offers)}\n</offers>\n</kaspi_catalog>\n"
    ).encode()


def offer(sku: str, price: int | str, availabilities: str, *, cities: Sequence[str] = ()) -> str:
    """One offer: one price, or the same in each city."""
    each = "".join(f'<cityprice cityId="{city}">{price}</cityprice>' for city in cities)
    prices = f"<cityprices>{each}</cityprices>" if cities else f"<price>{price}</price>"
    return (
        f'<offer sku="{sku}"><model>A &amp; B</model><brand/>'
        f"<availabilities>{availabilities}</availabilities>{prices}</offer>"
    )


def places(item: Mapping[str, Any]) -> str:
    """An item's points as they are."""
    return "".join(
        f'<availability available="{place["available"]}" storeId="{place["storeId"]}"'
        + (f' preOrder="{place["preOrder"]}"' if place["preOrder"] else "")
        + (f' stockCount="{place["stockCount"]}"' if place["stockSpecified"] else "")
        + "/>"
        for place in item["availabilities"]
    )


def same(item: Mapping[str, Any], price: int) -> str:
    """An item's offer as it is, at another price."""
    return offer(item["sku"], price, places(item))


def workbook(*rows: Sequence[object], columns: Sequence[str] = COLUMNS) -> bytes:
    """An Excel list."""
    book = Workbook()
    sheet = book.active
    sheet.append(list(columns))
    for row in rows:
        sheet.append(list(row))
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()
