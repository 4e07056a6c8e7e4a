"""The menu and the sitemap lead to every category."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

from sandbox import navigation
from sandbox.goods import KINDS

ORIGIN = "http://127.0.0.1:8801"


def menu(depth: int = 10, code: str | None = None) -> list[Any]:
    nodes: list[Any] = json.loads(navigation.menu(depth, code).plain)["subNodes"]
    return nodes


def codes(nodes: list[Any]) -> set[str]:
    return {node["code"] for node in nodes} | {
        code for node in nodes for code in codes(node["subNodes"])
    }


def test_the_menu_has_every_category_in_its_place() -> None:
    assert codes(menu()) == {code for kind in KINDS for code, _ in kind.path}
    for kind in KINDS:
        nodes = menu()
        for code, title in kind.path:
            (node,) = [one for one in nodes if one["code"] == code]
            assert node["title"].replace("<br/>", " ") == title
            nodes = node["subNodes"]
        assert nodes == []


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_menu_is_as_deep_as_is_asked_for(depth: int) -> None:
    assert codes(menu(depth)) == {code for kind in KINDS for code, _ in kind.path[:depth]}


def test_the_menu_below_one_category() -> None:
    assert codes(menu(10, "Men fashion")) == {
        code for kind in KINDS if kind.path[1][0] == "Men fashion" for code, _ in kind.path[2:]
    }
    assert menu(10, "No such thing") == []


def locations(xml: str) -> list[str]:
    return re.findall(r"<loc>([^<]*)</loc>", xml)


def test_the_sitemap_lists_one_of_categories_for_each_city() -> None:
    links = locations(navigation.sitemap(ORIGIN).plain.decode())
    assert f"{ORIGIN}/shop/Category-ru-KZT-almaty.xml" in links
    assert f"{ORIGIN}/shop/Category-ru-KZT-nur-sultan.xml" in links
    assert len(links) == len(set(links)) > 200


def test_a_citys_sitemap_lists_leaves_by_their_codes_in_small_letters() -> None:
    body = navigation.city_sitemap(ORIGIN, "almaty")
    assert body
    links = locations(body.plain.decode())
    assert {unquote(link.rstrip("/").rpartition("/")[2]) for link in links} == {
        kind.leaf.lower() for kind in KINDS
    }
    assert navigation.city_sitemap(ORIGIN, "atlantis") is None
