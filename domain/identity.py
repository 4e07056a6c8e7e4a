"""What things are called by the marketplace: every id is text, as its API sends it."""

from typing import NewType

#: The number of a product card, for example "102298404".
ProductId = NewType("ProductId", str)
#: A KATO code, for example "750000000" for Almaty.
CityId = NewType("CityId", str)
#: A merchant's code: mostly digits, sometimes a word ("Satel").
MerchantId = NewType("MerchantId", str)

#: The storefront's default city.
ALMATY_CITY = CityId("750000000")
