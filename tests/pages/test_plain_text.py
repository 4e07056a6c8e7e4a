"""A seller's HTML becomes text that a person would have written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspi_crawler.pages.plain_text import plain_text, unescaped


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        pytest.param("просто текст", "просто текст", id="plain text stays"),
        pytest.param("<p>раз</p><p>два</p>", "раз\nдва", id="a paragraph is a line"),
        pytest.param("раз<br />два<BR>три", "раз\nдва\nтри", id="a break is a line"),
        pytest.param("<p>раз<br /></p>", "раз", id="a break at the end is nothing"),
        pytest.param("<ul><li>а<li>б</ul>", "а\nб", id="an item of a list is a line"),
        pytest.param(
            "<table><tr><th>Вес<td>5 кг</td></tr><tr><td>Цвет</td><td>белый</td></tr></table>",
            "Вес 5 кг\nЦвет белый",
            id="a row of a table is a line of words",
        ),
        pytest.param("<b>а</b><i>б</i>", "аб", id="bold is no break"),
        pytest.param("2 &lt; 3 &amp; 15.6&#34;", '2 < 3 & 15.6"', id="entities without tags"),
        pytest.param("<p>2 &lt; 3 &amp; 15.6&#34;</p>", '2 < 3 & 15.6"', id="entities with tags"),
        pytest.param("&amp;amp;", "&amp;", id="entities are read once"),
        pytest.param("меньше <5 кг", "меньше <5 кг", id="a lone sign is no tag"),
        pytest.param("<p> а \n\t б </p>", "а\nб", id="lines of the source are lines"),
        pytest.param("а&nbsp;&nbsp;б", "а б", id="hard blanks are blanks"),
        pytest.param("<p>а</p><script>x('<p>')</script>б", "а\nб", id="scripts are not text"),
        pytest.param("<style>p{}</style>а<!-- б -->", "а", id="styles and comments are not text"),
        pytest.param("<div><p>а</div>б</p>", "а\nб", id="tags in disorder"),
        pytest.param("<html><body><p>а</p></body></html>", "а", id="a whole page"),
        pytest.param("<h2>А</h2>б", "А\nб", id="a heading is a line"),
        pytest.param("<p>а\x01\uffffб</p>", "а\x01\uffffб", id="signs that XML forbids"),
    ],
)
def test_html_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("markup", ["", "  ", "<p></p>", "<p>&nbsp;<br/></p>", "<!-- а -->"])
def test_no_text_is_none(markup: str) -> None:
    assert plain_text(markup) is None


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_survives_without_empty_lines(markup: str) -> None:
    text = plain_text(markup)
    assert text is None or all(line.strip() == line != "" for line in text.splitlines())


@given(st.text())
def test_what_was_never_escaped_is_left_alone(text: str) -> None:
    if "&" not in text:
        assert unescaped(text) is text
