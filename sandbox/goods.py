"""What the sandbox sells: kinds of goods with their category paths, traits and invented brands."""

import attrs


@attrs.frozen
class Trait:
    """One specification that cards of a kind carry.

    `type` is the storefront's word: ENUM, STRING, NUMBER (the value carries its unit) or BOOLEAN
    ("true" and "false"), as recorded 2025-08. A card shows up to `several` of the values.
    """

    code: str
    name: str
    values: tuple[str, ...]
    type: str = "ENUM"
    group: str = ""
    several: int = 1


@attrs.frozen(kw_only=True)
class Choice:
    """The axis along which siblings of one colour differ: size, memory, volume, weight."""

    title: str
    type: str
    values: tuple[str, ...]
    form: str = "TEXT"
    dimension: str | None = None


@attrs.frozen(kw_only=True)
class Kind:
    """A leaf category: `path` runs from below the root to the leaf as (code, title) pairs.

    `title` is a pattern over noun, brand, model, colour, choice and the codes of traits.
    `cheapest` and `dearest` bound the usual price in tenge.
    """

    category_id: str
    path: tuple[tuple[str, str], ...]
    noun: str
    title: str
    brands: tuple[str, ...]
    models: tuple[str, ...]
    cheapest: int
    dearest: int
    traits: tuple[Trait, ...]
    colours: tuple[str, ...] = ()
    choice: Choice | None = None

    @property
    def leaf(self) -> str:
        """The leaf category's code."""
        return self.path[-1][0]

    @property
    def varies(self) -> bool:
        """Whether cards of this kind come in families of siblings."""
        return self.choice is not None


#: How goods without a brand are named on every card (recorded 2025-08).
NO_BRAND = "Без бренда"

_MAIN = "Основные характеристики"
_BODY = "Корпус"
_POWER = "Питание"

_COLOURS = ("черный", "белый", "серый", "синий", "красный", "зеленый", "бежевый", "розовый")
_CLOTHES_TRAITS = (
    Trait("sport", "Вид спорта", ("универсальный", "бег", "лыжи", "фитнес"), several=2),
    Trait("fabric", "Состав", ("полиэстер", "спандекс", "хлопок", "шерсть", "вискоза"), several=3),
    Trait("season", "Сезон", ("круглогодичный", "зима", "лето", "демисезон")),
    Trait("ornament", "Узор", ("однотонный", "принт", "полоска")),
    Trait("clasp", "Застежка", ("отсутствует", "молния", "пуговицы")),
    Trait(
        "notice",
        "Примечание",
        ("товар обмену и возврату не подлежит", "размер в размер; стирать при 30° & не отжимать"),
        "STRING",
    ),
)
_CLOTHES_SIZE = Choice(
    title="Размер",
    type="Clothes*Size",
    values=("42", "44", "46/M", "48/L", "50/XL", "52/2XL", "54/3XL", "56", "58"),
    form="DIMENSIONAL",
    dimension="RUS",
)

SMARTPHONES = Kind(
    category_id="00847",
    path=(("Smartphones and gadgets", "Телефоны и гаджеты"), ("Smartphones", "Смартфоны")),
    noun="Смартфон",
    title="{noun} {brand} {model} {choice} {colour}",
    brands=("Aspara", "Nomadix", "Tulpar", "Vegaphone", "Qarlygash"),
    models=("A15", "A25 Pro", "M7 Lite", "Note 12", "Ultra 5", "S3 FE", "Fold 2"),
    cheapest=49_990,
    dearest=689_990,
    traits=(
        Trait("screen", "Диагональ экрана", ("6.1 дюйм", "6.5 дюйм", "6.7 дюйм"), "NUMBER", _MAIN),
        Trait(
            "ram", "Объем оперативной памяти", ("4 Гб", "6 Гб", "8 Гб", "12 Гб"), "NUMBER", _MAIN
        ),
        Trait("matrix", "Тип экрана", ("IPS", "AMOLED", "OLED"), "ENUM", _MAIN),
        Trait("nfc", "NFC", ("true", "false"), "BOOLEAN", _MAIN),
        Trait("sim", "Тип SIM-карты", ("nano-SIM", "eSIM", "micro-SIM"), "ENUM", _MAIN, several=2),
        Trait("battery", "Емкость аккумулятора", ("4000 мАч", "5000 мАч"), "NUMBER", _POWER),
        Trait("weight", "Вес", ("172 г", "187 г", "203 г", "221 г"), "NUMBER", _BODY),
    ),
    colours=("черный", "белый", "синий", "фиолетовый", "зеленый"),
    choice=Choice(
        title="Объем встроенной памяти",
        type="Smartphones*Memory",
        values=("64 Гб", "128 Гб", "256 Гб", "512 Гб"),
    ),
)

NOTEBOOKS = Kind(
    category_id="01201",
    path=(
        ("Computers", "Компьютеры"),
        ("Notebooks and accessories", "Ноутбуки и аксессуары"),
        ("Notebooks", "Ноутбуки"),
    ),
    noun="Ноутбук",
    title='{noun} {brand} {model} {screen}" / {ram} / SSD {ssd} / {system}',
    brands=("Aspara", "Nomadix", "Shanyraq", "Bitfield & Co"),
    models=("Book 14", "Book 15 Air", "G7 Core", "Pro 16", "Studio X", "Edu 3"),
    cheapest=159_990,
    dearest=1_289_990,
    traits=(
        Trait("screen", "Диагональ экрана", ("14", "15.6", "16.1", "17.3"), "STRING", _MAIN),
        Trait("ram", "Оперативная память", ("8 Гб", "16 Гб", "32 Гб"), "NUMBER", _MAIN),
        Trait("ssd", "Объем SSD", ("256 Гб", "512 Гб", "1024 Гб"), "NUMBER", _MAIN),
        Trait("system", "Операционная система", ("без ОС", "Win11", "Linux"), "ENUM", _MAIN),
        Trait("ports", "Разъемы", ("USB-C", "HDMI", "RJ-45", "USB 3.2"), "ENUM", _MAIN, several=3),
        Trait("weight", "Вес", ("1.39 кг", "1.75 кг", "2.15 кг"), "NUMBER", _BODY),
        Trait("backlight", "Подсветка клавиатуры", ("true", "false"), "BOOLEAN", _BODY),
    ),
)

HEADPHONES = Kind(
    category_id="00991",
    path=(("Smartphones and gadgets", "Телефоны и гаджеты"), ("Headphones", "Наушники")),
    noun="Наушники",
    title="{noun} {brand} {model} {colour}",
    brands=("Sonara", "Tulpar", "Dombyra Audio", NO_BRAND),
    models=("Buds 2", "Buds Pro", "H900 ANC", "Sport Clip", "Kids One"),
    cheapest=1_990,
    dearest=149_990,
    traits=(
        Trait("type", "Тип", ("вкладыши", "внутриканальные", "накладные"), "ENUM", _MAIN),
        Trait("wireless", "Беспроводные", ("true", "false"), "BOOLEAN", _MAIN),
        Trait("noise", "Активное шумоподавление", ("true", "false"), "BOOLEAN", _MAIN),
        Trait("hours", "Время работы", ("5 ч", "8 ч", "30 ч"), "NUMBER", _POWER),
    ),
    colours=_COLOURS[:5],
)

KETTLES = Kind(
    category_id="02314",
    path=(
        ("Home equipment", "Бытовая техника"),
        ("Small kitchen equipment", "Мелкая техника для кухни"),
        ("Electric kettles", "Электрочайники"),
    ),
    noun="Электрочайник",
    title="{noun} {brand} {model} {colour}",
    brands=("Samaura", "Qazan", "Termo & Dom", NO_BRAND),
    models=("KT-1701", "KT-1802G", "EK-20", "Retro 1.7", "Travel 0.5"),
    cheapest=3_490,
    dearest=54_990,
    traits=(
        Trait("volume", "Объем", ("0.5 л", "1.5 л", "1.7 л", "2 л"), "NUMBER", _MAIN),
        Trait("power", "Мощность", ("1500 Вт", "1800 Вт", "2200 Вт"), "NUMBER", _MAIN),
        Trait("material", "Материал корпуса", ("сталь", "стекло", "пластик"), "ENUM", _BODY, 2),
        Trait("shutdown", "Автоотключение", ("true",), "BOOLEAN", _BODY),
    ),
    colours=_COLOURS[:4],
)

VACUUM_CLEANERS = Kind(
    category_id="02207",
    path=(
        ("Home equipment", "Бытовая техника"),
        ("House equipment", "Техника для дома"),
        ("Vacuum cleaners", "Пылесосы"),
    ),
    noun="Пылесос",
    title="{noun} {brand} {model} {colour}",
    brands=("Samaura", "Tazalyq", "Vortexa", "Qarlygash"),
    models=("VC-2200", "Cyclone 5", "Stick V8", "Robo S1", "Aqua 300"),
    cheapest=14_990,
    dearest=329_990,
    traits=(
        Trait("type", "Тип", ("обычный", "вертикальный", "робот"), "ENUM", _MAIN),
        Trait("cleaning", "Тип уборки", ("сухая", "влажная"), "ENUM", _MAIN, several=2),
        Trait("power", "Потребляемая мощность", ("450 Вт", "1800 Вт", "2200 Вт"), "NUMBER", _MAIN),
        Trait("cord", "Длина сетевого шнура", ("5 м", "7.5 м"), "NUMBER", _POWER),
    ),
    colours=_COLOURS[:5],
)

SCREWDRIVERS = Kind(
    category_id="03412",
    path=(
        ("Construction and repair", "Строительство, ремонт"),
        ("Power tools", "Электроинструменты"),
        ("Drills and screwdrivers", "Дрели и шуруповерты"),
    ),
    noun="Шуруповерт",
    title="{noun} {brand} {model}",
    brands=("Temirtool", "Usta", "Stone & Field", NO_BRAND),
    models=("DC-12V", "DC-18/2", "Impact 21", "SB-750", "Mini 3.6"),
    cheapest=6_490,
    dearest=119_990,
    traits=(
        Trait("voltage", "Напряжение", ("12 В", "18 В", "21 В"), "NUMBER", _POWER),
        Trait("torque", "Крутящий момент", ("25 Н·м", "45 Н·м", "60 Н·м"), "NUMBER", _MAIN),
        Trait("kit", "Комплектация", ('набор бит 1/4", кейс', "2 аккумулятора"), "STRING", _MAIN),
        Trait("impact", "Ударный", ("true", "false"), "BOOLEAN", _MAIN),
    ),
)

CAR_BATTERIES = Kind(
    category_id="04118",
    path=(
        ("Car goods", "Автотовары"),
        ("Car electrics", "Автоэлектрика"),
        ("Car batteries", "Автомобильные аккумуляторы"),
    ),
    noun="Аккумулятор",
    title="{noun} {brand} {model} {capacity} {polarity}",
    brands=("Qyran", "Dala Power", "Aq Bars"),
    models=("Asia", "Euro", "Start AGM", "EFB Plus"),
    cheapest=17_990,
    dearest=149_990,
    traits=(
        Trait("capacity", "Емкость", ("45 Ач", "60 Ач", "75 Ач", "100 Ач"), "NUMBER", _MAIN),
        Trait("polarity", "Полярность", ("обратная", "прямая"), "ENUM", _MAIN),
        Trait("current", "Пусковой ток", ("390 А", "540 А", "720 А"), "NUMBER", _MAIN),
        Trait("size", "Габариты (Д*Ш*В)", ("242x175x190 мм", "278x175x190 мм"), "STRING", _BODY),
    ),
)

THERMAL_UNDERWEAR = Kind(
    category_id="05818",
    path=(
        ("Fashion", "Одежда"),
        ("Men fashion", "Мужчинам"),
        ("Men underwear", "Мужское нижнее белье"),
        ("Men thermal underwear", "Мужское термобелье"),
    ),
    noun="Термобелье",
    title="{noun} {brand} {colour}",
    brands=("Ayazfit", "Nordal", NO_BRAND),
    models=("комплект", "кальсоны", "лонгслив"),
    cheapest=2_490,
    dearest=29_990,
    traits=_CLOTHES_TRAITS,
    colours=_COLOURS[:4],
    choice=_CLOTHES_SIZE,
)

T_SHIRTS = Kind(
    category_id="01407",
    path=(
        ("Fashion", "Одежда"),
        ("Men fashion", "Мужчинам"),
        ("Men t-shirts", "Мужские футболки и майки"),
    ),
    noun="Футболка",
    title="{noun} {brand} {model} {colour}",
    brands=("Ayazfit", "Kok Tobe Wear", "Rock & Steppe", NO_BRAND),
    models=("Basic", "Oversize", "Polo", "Sport Dry"),
    cheapest=1_490,
    dearest=24_990,
    traits=_CLOTHES_TRAITS,
    colours=_COLOURS,
    choice=_CLOTHES_SIZE,
)

SNEAKERS = Kind(
    category_id="01655",
    path=(
        ("Shoes", "Обувь"),
        ("Women shoes", "Женская обувь"),
        ("Women sneakers", "Женские кроссовки"),
    ),
    noun="Кроссовки",
    title="{noun} {brand} {model} {colour}",
    brands=("Jelaiaq", "Nordal", "Saltanat", NO_BRAND),
    models=("Run 2", "City Walk", "Air Dala", "Trail GTX"),
    cheapest=4_990,
    dearest=89_990,
    traits=(
        Trait("upper", "Материал верха", ("текстиль", "кожа", "замша", "сетка"), several=2),
        Trait("sole", "Материал подошвы", ("ЭВА", "резина", "полиуретан")),
        Trait("season", "Сезон", ("лето", "демисезон", "зима"), several=2),
        Trait("insole", "Съемная стелька", ("true", "false"), "BOOLEAN"),
    ),
    colours=_COLOURS[:6],
    choice=Choice(
        title="Размер",
        type="Shoes*Size",
        values=("35", "36", "37", "38", "39", "40", "41"),
        form="DIMENSIONAL",
        dimension="RUS",
    ),
)

BOOKS = Kind(
    category_id="06120",
    path=(
        ("Leisure", "Досуг, книги"),
        ("Books", "Книги"),
        ("Fiction", "Художественная литература"),
    ),
    noun="Книга",
    title='{noun} "{model}", {cover}',
    brands=("Степной дом", "Аққу Баспа", "Лист & Перо"),
    models=(
        "Ветер над озером",
        "Дорога в Кара-Тау",
        "Семь яблок",
        "Письма из юрты",
        "Белый тулпар",
    ),
    cheapest=990,
    dearest=12_990,
    traits=(
        Trait("pages", "Количество страниц", ("224", "352", "480", "608"), "STRING", _MAIN),
        Trait("cover", "Обложка", ("твердая", "мягкая"), "ENUM", _MAIN),
        Trait("language", "Язык", ("русский", "казахский"), "ENUM", _MAIN, several=2),
        Trait("year", "Год издания", ("2021", "2023", "2025"), "STRING", _MAIN),
    ),
)

CAT_FOOD = Kind(
    category_id="07033",
    path=(("Pet goods", "Товары для животных"), ("Cats", "Кошкам"), ("Dry cat food", "Сухой корм")),
    noun="Сухой корм для кошек",
    title="{noun} {brand} {model} {taste} {choice}",
    brands=("Mysyq", "Barys Pet", "Whisk & Paw"),
    models=("Adult", "Kitten", "Sterilised", "Sensitive"),
    cheapest=1_290,
    dearest=38_990,
    traits=(
        Trait("taste", "Вкус", ("курица", "лосось", "ягненок", "утка"), "ENUM", _MAIN),
        Trait("age", "Возраст животного", ("до 1 года", "1-7 лет", "7+"), "ENUM", _MAIN, several=2),
        Trait("protein", "Содержание белка", ("28 %", "32 %", "37 %"), "NUMBER", _MAIN),
        Trait("grain", "Беззерновой", ("true", "false"), "BOOLEAN", _MAIN),
    ),
    choice=Choice(title="Вес", type="Pet food*Weight", values=("400 г", "1.5 кг", "4 кг", "10 кг")),
)

TOY_SETS = Kind(
    category_id="08241",
    path=(("Child goods", "Детские товары"), ("Toys", "Игрушки"), ("Toy sets", "Конструкторы")),
    noun="Конструктор",
    title="{noun} {brand} {model} {pieces}",
    brands=("Qurastyr", "Balaqai", NO_BRAND),
    models=("Город", "Космодром", "Ферма", "Гонка 24 часа", "Замок <мини>"),
    cheapest=1_990,
    dearest=79_990,
    traits=(
        Trait("pieces", "Количество деталей", ("120 шт", "458 шт", "1030 шт"), "NUMBER", _MAIN),
        Trait("age", "Возраст", ("3+", "6+", "9+"), "ENUM", _MAIN),
        Trait("material", "Материал", ("пластик", "дерево", "металл"), "ENUM", _MAIN, several=2),
    ),
)

WATCHES = Kind(
    category_id="09102",
    path=(
        ("Fashion accessories", "Аксессуары"),
        ("Watches", "Часы"),
        ("Wrist watches", "Наручные часы"),
    ),
    noun="Часы",
    title="{noun} {brand} {model} {case}",
    brands=("Uaqyt", "Merey & Sons", "Altyn Sagat", NO_BRAND),
    models=("M-104", "Classic 38", "Diver 200", "Lady Rose"),
    cheapest=3_990,
    dearest=459_990,
    traits=(
        Trait("mechanism", "Механизм", ("кварцевые", "механические"), "ENUM", _MAIN),
        Trait("case", "Материал корпуса", ("сталь", "латунь", "титан"), "ENUM", _BODY),
        Trait("water", "Водозащита", ("30 м", "50 м", "200 м"), "NUMBER", _BODY),
    ),
)

PERFUMES = Kind(
    category_id="00455",
    path=(
        ("Beauty care", "Красота, здоровье"),
        ("Perfumery", "Парфюмерия"),
        ("Perfumes", "Духи и парфюмерная вода"),
    ),
    noun="Парфюмерная вода",
    title="{noun} {brand} {model} {choice}",
    brands=("Gul & Zhel", "Maison Altai", "Rayhan"),
    models=("L'Aube", "Noir Dala", "Iris 7", "Jusan"),
    cheapest=4_990,
    dearest=139_990,
    traits=(
        Trait("sex", "Пол", ("женский", "мужской", "унисекс"), "ENUM", _MAIN),
        Trait("notes", "Ноты", ("бергамот", "полынь", "ирис", "мускус"), "ENUM", _MAIN, several=4),
        Trait("year", "Год создания", ("2011", "2018", "2024"), "STRING", _MAIN),
    ),
    choice=Choice(title="Объем", type="Perfumes*Volume", values=("30 мл", "50 мл", "100 мл")),
)

HAIR_DRYERS = Kind(
    category_id="00620",
    path=(
        ("Beauty care", "Красота, здоровье"),
        ("Hair equipment", "Техника для волос"),
        ("Hair dryers", "Фены"),
    ),
    noun="Фен",
    title="{noun} {brand} {model} {colour}",
    brands=("Samaura", "Saltanat", "Vortexa", NO_BRAND),
    models=("HD-1600", "Ionic 2000", "Travel 1200", "Pro AC"),
    cheapest=2_990,
    dearest=249_990,
    traits=(
        Trait("power", "Мощность", ("1200 Вт", "1600 Вт", "2000 Вт"), "NUMBER", _MAIN),
        Trait("ions", "Ионизация", ("true", "false"), "BOOLEAN", _MAIN),
        Trait("nozzles", "Насадки", ("концентратор", "диффузор", "расческа"), "ENUM", _MAIN, 3),
    ),
    colours=_COLOURS[:5],
)

KINDS: tuple[Kind, ...] = (
    SMARTPHONES,
    NOTEBOOKS,
    HEADPHONES,
    KETTLES,
    VACUUM_CLEANERS,
    SCREWDRIVERS,
    CAR_BATTERIES,
    THERMAL_UNDERWEAR,
    T_SHIRTS,
    SNEAKERS,
    BOOKS,
    CAT_FOOD,
    TOY_SETS,
    WATCHES,
    PERFUMES,
    HAIR_DRYERS,
)
