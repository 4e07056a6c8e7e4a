"""Kaspi's larger cities by the Latin names that people and the storefront's addresses use.

Ids are KATO codes from the storefront's own table of 270 cities (recorded 2025-08). Many other
values circulate in public code and are wrong: Aktobe is 151010000, Shymkent is 511010000.
"""

from collections.abc import Mapping
from types import MappingProxyType

from domain.identity import CityId

#: The storefront's spelling first, then the other spellings of the same city.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "750000000": ("almaty",),
    "710000000": ("nur-sultan", "astana"),
    "511010000": ("shymkent",),
    "351010000": ("karaganda",),
    "151010000": ("aktobe",),
    "471010000": ("aktau",),
    "231010000": ("atyrau",),
    "391010000": ("kostanai", "kostanay"),
    "111010000": ("kokshetau",),
    "431010000": ("kyzylorda",),
    "271010000": ("uralsk", "oral"),
    "551010000": ("pavlodar",),
    "591010000": ("petropavlovsk", "petropavl"),
    "632810000": ("semey",),
    "191010000": ("taldykorgan",),
    "311010000": ("taraz",),
    "352410000": ("temirtau",),
    "512610000": ("turkestan", "turkistan"),
    "631010000": ("ust-kamenogorsk", "oskemen"),
    "552210000": ("ekibastuz",),
    "351810000": ("zhezkazgan",),
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

#: Latin name in lower case → city id.
CITY_IDS: Mapping[str, CityId] = MappingProxyType(
    {name: CityId(city) for city, names in _NAMES.items() for name in names}
)


def city_slug(city: CityId) -> str | None:
    """How the storefront's addresses call a city; None for one that is not in the table."""
    names = _NAMES.get(city)
    return names[0] if names else None
