"""Objects as JavaScript writes them are read right or not at all."""

import pytest

from kaspi_crawler.pages import javascript
from kaspi_crawler.pages.forgiving import NotJson


@pytest.mark.parametrize(
    ("script", "value"),
    [
        pytest.param("{a: 1}", {"a": 1}, id="a key without quotes"),
        pytest.param("{'a': 'b'}", {"a": "b"}, id="single quotes"),
        pytest.param("{a:null,b:[null,null],c:null}", {"a": None, "b": [None, None], "c": None},
                     id="null before a comma is no text"),
        pytest.param("{a:true,b:false,c:[true,false]}", {"a": True, "b": False, "c": [True, False]},
                     id="nor are true and false"),
        pytest.param("{a:'null',b:\"true, null,\"}", {"a": "null", "b": "true, null,"},
                     id="texts that look like words stay texts"),
        pytest.param("{a:undefined,b:1}", {"a": None, "b": 1}, id="undefined is nothing"),
        pytest.param("{a:'it\\'s \"q\"'}", {"a": "it's \"q\""}, id="quotes in quotes"),
        pytest.param("{a:'}{',b:1}; other = {c: d}", {"a": "}{", "b": 1}, id="its end"),
        pytest.param("{a:1,}", {"a": 1}, id="a comma too many"),
        pytest.param("{price:8990.0,n:1e3}", {"price": 8990.0, "n": 1000.0}, id="numbers"),
    ],
)  # fmt: skip
def test_an_object_is_read(script: str, value: object) -> None:
    assert javascript.parse(script.encode()) == value


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("{title: name, price: 1}", id="a variable"),
        pytest.param("{price: 8990+10}", id="a sum"),
        pytest.param("{price: new Price(1)}", id="something made"),
        pytest.param("{title: `a${b}`}", id="a text put together"),
        pytest.param('{"a": 1, b: 2}', id="what begins as JSON"),
        pytest.param("{a: 1", id="no end"),
        pytest.param("{a: 'b' 'c'}", id="two texts"),
        pytest.param("{a:" * 50_000 + "1" + "}" * 50_000, id="an abyss"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_not_written_out_is_not_guessed(script: str) -> None:
    with pytest.raises(NotJson):
        javascript.parse(script.encode())
