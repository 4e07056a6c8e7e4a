"""The places the storefront delivers to: real cities by KATO code, and invented villages."""

from functools import cache
from random import Random

import attrs
import msgspec

from domain.identity import CityId

_VILLAGES = 240
_STARTS = ("Ак", "Кара", "Сары", "Жана", "Кок", "Бай", "Той", "Нур", "Ал", "Ушто", "Мын", "Кызыл")
_ENDS = ("булак", "тау", "су", "жар", "арал", "тобе", "дала", "коль", "кент", "терек", "сай", "ой")


@attrs.frozen
class City:
    """A place with its address code and the Russian forms of its name."""

    id: CityId
    code: str
    name: str
    name_in: str | None = None
    latitude: float = 48.0
    longitude: float = 68.0

    @property
    def located(self) -> str:
        """The name after "в" (Астане); where that form is unknown, the name itself."""
        return self.name_in or self.name


#: Ids and codes as the storefront's own table has them (recorded 2025-08).
_REAL = (
    City(CityId("750000000"), "almaty", "Алматы", "Алматы", 43.238, 76.945),
    City(CityId("710000000"), "nur-sultan", "Астана", "Астане", 51.128, 71.430),
    City(CityId("511010000"), "shymkent", "Шымкент", "Шымкенте", 42.315, 69.586),
    City(CityId("351010000"), "karaganda", "Караганда", "Караганде", 49.806, 73.085),
    City(CityId("151010000"), "aktobe", "Актобе", "Актобе", 50.283, 57.166),
    City(CityId("471010000"), "aktau", "Актау", "Актау", 43.635, 51.168),
    City(CityId("231010000"), "atyrau", "Атырау", "Атырау", 47.094, 51.923),
    City(CityId("391010000"), "kostanai", "Костанай", "Костанае", 53.214, 63.624),
    City(CityId("111010000"), "kokshetau", "Кокшетау", "Кокшетау", 53.283, 69.396),
    City(CityId("431010000"), "kyzylorda", "Кызылорда", "Кызылорде", 44.848, 65.482),
    City(CityId("271010000"), "uralsk", "Уральск", "Уральске", 51.227, 51.386),
    City(CityId("551010000"), "pavlodar", "Павлодар", "Павлодаре", 52.287, 76.967),
    City(CityId("591010000"), "petropavlovsk", "Петропавловск", "Петропавловске", 54.872, 69.143),
    City(CityId("632810000"), "semey", "Семей", "Семее", 50.411, 80.227),
    City(CityId("191010000"), "taldykorgan", "Талдыкорган", "Талдыкоргане", 45.015, 78.373),
    City(CityId("311010000"), "taraz", "Тараз", "Таразе", 42.899, 71.377),
    City(CityId("352410000"), "temirtau", "Темиртау", "Темиртау", 50.054, 72.964),
    City(CityId("512610000"), "turkestan", "Туркестан", "Туркестане", 43.297, 68.251),
    City(
        CityId("631010000"),
        "ust-kamenogorsk",
        "Усть-Каменогорск",
        "Усть-Каменогорске",
        49.948,
        82.627,
    ),
    City(CityId("552210000"), "ekibastuz", "Экибастуз", "Экибастузе", 51.729, 75.326),
    City(CityId("351810000"), "zhezkazgan", "Жезказган", "Жезказгане", 47.783, 67.767),
    City(CityId("351610000"), "balkhash", "Балхаш", "Балхаше", 46.848, 74.995),
    City(CityId("471810000"), "zhanaozen", "Жанаозен", "Жанаозене", 43.341, 52.861),
    City(CityId("392410000"), "rydniy", "Рудный", "Рудном", 52.972, 63.112),
    City(CityId("392010000"), "lisakovsk", "Лисаковск", "Лисаковске", 52.537, 62.494),
    City(CityId("191610000"), "kapshagay", "Конаев", "Конаеве", 43.867, 77.063),
    City(CityId("195220100"), "kaskelen", "Каскелен", "Каскелене", 43.206, 76.623),
    City(CityId("196220100"), "talgar", "Талгар", "Талгаре", 43.303, 77.241),
    City(CityId("194020100"), "esik", "Есик", "Есике", 43.355, 77.452),
    City(CityId("116651100"), "kosshy", "Косшы", "Косшы", 50.965, 71.360),
    City(CityId("111810000"), "stepnogorsk", "Степногорск", "Степногорске", 52.350, 71.886),
    City(CityId("117020100"), "shchuchinsk", "Щучинск", "Щучинске", 52.936, 70.189),
    City(CityId("196243100"), "besagash", "Бесагаш", "Бесагаше", 43.299, 77.047),
)


@cache
def cities() -> tuple[City, ...]:
    """All places in the alphabet's order."""
    return tuple(sorted((*_REAL, *_villages()), key=lambda city: (city.name, city.id)))


def city_named(city_id: CityId) -> City:
    """The place with that id; one that the storefront does not know is served nevertheless."""
    return _by_id().get(city_id) or City(city_id, "kazakhstan", "Казахстан", "Казахстане")


@cache
def selection() -> str:
    """The script that fills the city dialog: a JavaScript object whose array alone is JSON."""
    groups: dict[str, list[dict[str, object]]] = {}
    for city in cities():
        groups.setdefault(city.name[0], []).append(_entry(city))
    listed = [{"char": letter, "cityData": entries} for letter, entries in groups.items()]
    return f"""
        BACKEND.components.citySelection = {{
          citys:  {msgspec.json.encode(listed).decode()},
          defaultCityID: 750000000,
          enable: false,
        }}"""


@cache
def _by_id() -> dict[CityId, City]:
    return {city.id: city for city in cities()}


def _villages() -> tuple[City, ...]:
    """Invented places: their ids end in 999, which no real code does here."""
    random = Random("villages")  # noqa: S311 - plausible, not secret
    return tuple(
        City(
            CityId(f"{110 + index:03d}{random.randrange(1000):03d}999"),
            f"auyl-{index}",
            f"{random.choice(_STARTS)}{random.choice(_ENDS)} ({index}-й аул)",
            None,
            random.randrange(41_000, 55_000) / 1000,
            random.randrange(50_000, 87_000) / 1000,
        )
        for index in range(_VILLAGES)
    )


def _entry(city: City) -> dict[str, object]:
    south, north = city.latitude - 0.0168098, city.latitude + 0.0214877
    west, east = city.longitude - 0.0258357, city.longitude + 0.0304217
    corners = ((west, south), (east, south), (east, north), (west, north))
    return {
        "id": city.id,
        "code": city.code,
        "name": city.name,
        "link": f"/shop/{city.code}/",
        "countryCode": "KZ",
        "dictionaryList": [
            _forms("ru", city.name, city.name_in),
            _forms("en", city.code.capitalize(), None),
            _forms("kz", city.name, city.name_in),
        ],
        "minLatitude": south,
        "maxLatitude": north,
        "minLongitude": west,
        "maxLongitude": east,
        "centerLatitude": city.latitude,
        "centerLongitude": city.longitude,
        "radius": None,
        "points": [{"longitude": round(x, 6), "latitude": round(y, 6)} for x, y in corners],
        "hasGeoZones": False,
        "visible": True,
    }


def _forms(locale: str, name: str, name_in: str | None) -> dict[str, object]:
    return {"locale": locale, "name": name, "nameIn": name_in, "nameTo": name, "nameFrom": name}
