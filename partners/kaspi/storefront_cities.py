"""Kaspi's larger cities by the names that people and the storefront's addresses use.

Ids are KATO codes from the storefront's own table of 270 cities (recorded 2025-08). Many other
values circulate in public code and are wrong: Aktobe is 151010000, Shymkent is 511010000.
"""

from collections.abc import Mapping
from types import MappingProxyType

from domain.identity import CityId

#: The storefront's spelling first, then the other spellings of the same city.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "750000000": ("almaty", "алматы"),
    "710000000": ("nur-sultan", "astana", "астана"),
    "511010000": ("shymkent", "шымкент"),
    "351010000": ("karaganda", "караганда"),
    "151010000": ("aktobe", "актобе"),
    "471010000": ("aktau", "актау"),
    "231010000": ("atyrau", "атырау"),
    "391010000": ("kostanai", "kostanay", "костанай"),
    "111010000": ("kokshetau", "кокшетау"),
    "431010000": ("kyzylorda", "кызылорда"),
    "271010000": ("uralsk", "oral", "уральск"),
    "551010000": ("pavlodar", "павлодар"),
    "591010000": ("petropavlovsk", "petropavl", "петропавловск"),
    "632810000": ("semey", "семей"),
    "191010000": ("taldykorgan", "талдыкорган"),
    "311010000": ("taraz", "тараз"),
    "352410000": ("temirtau", "темиртау"),
    "512610000": ("turkestan", "turkistan", "туркестан"),
    "631010000": ("ust-kamenogorsk", "oskemen", "усть-каменогорск"),
    "552210000": ("ekibastuz", "экибастуз"),
    "351810000": ("zhezkazgan", "жезказган"),
    "351610000": ("balkhash",),
    "471810000": ("zhanaozen",),
    "392410000": ("rydniy", "rudny"),
    "392010000": ("lisakovsk",),
    "191610000": ("kapshagay", "konaev"),
    "195220100": ("kaskelen",),
    "196220100": ("talgar",),
    "194020100": ("esik",),
    "116651100": ("kosshy",),
    "111810000": ("stepnogorsk",),
    "117020100": ("shchuchinsk",),
    "196243100": ("besagash",),
}

#: Name in lower case → city id.
CITY_IDS: Mapping[str, CityId] = MappingProxyType(
    {name: CityId(city) for city, names in _NAMES.items() for name in names}
)


def city_slug(city: CityId) -> str | None:
    """How the storefront's addresses call a city; None for one that is not in the table."""
    names = _NAMES.get(city)
    return names[0] if names else None
