"""A refusal is recognised as such, and a right answer never is."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.call import Answer
from partners.kaspi.storefront import Block, BlockKind, recognise_block

STUB = b'<!DOCTYPE html><html lang="ru">'
SHELL = b"<!doctype html><html><head><title>Kaspi</title></head><body></body></html>"
CAPTCHA = (
    b"<!doctype html><html><body><form id='captcha-form'>"
    b'<div class="g-recaptcha"></div></form></body></html>'
)
PRODUCT = (
    b"<html><script>BACKEND.components.item = {}</script>"
    b"<script>BACKEND.components.reCAPTCHA = {};</script></html>"
)
SPRING = b'{"timestamp":"2025-06-26T07:52:34.682+00:00","status":405,"error":"Method Not Allowed"}'


def answer(status: int, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=body, address="https://kaspi.kz/", headers=named)


@pytest.mark.parametrize(
    ("status", "body", "wants", "kind"),
    [
        pytest.param(403, b"", "json", "forbidden", id="403 over the rate"),
        pytest.param(403, STUB, "html", "forbidden", id="403 on a page"),
        pytest.param(403, CAPTCHA, "html", "captcha", id="403 with a captcha"),
        pytest.param(429, STUB, "json", "too_many_requests", id="429 to a data centre"),
        pytest.param(429, b'{"error":"slow down"}', "json", "too_many_requests", id="429 in JSON"),
        pytest.param(405, b"", "json", "method_not_allowed", id="405 to a data centre"),
        pytest.param(405, STUB, "json", "method_not_allowed", id="405 in HTML"),
        pytest.param(200, STUB, "json", "html_instead_of_json", id="a page instead of data"),
        pytest.param(200, PRODUCT, "json", "html_instead_of_json", id="even a right page"),
        pytest.param(404, SHELL, "json", "html_instead_of_json", id="404 from something else"),
        pytest.param(200, CAPTCHA, "json", "captcha", id="a captcha instead of data"),
        pytest.param(200, CAPTCHA, "html", "captcha", id="a captcha instead of a page"),
        pytest.param(200, SHELL, "html", "empty_shell", id="a page without data"),
        pytest.param(200, STUB, "html", "truncated", id="the beginning of a page"),
        pytest.param(200, b"", "html", "truncated", id="an empty page"),
        pytest.param(200, b"  \n", "json", "truncated", id="an empty answer"),
        pytest.param(200, b'{"offers":[{"price":1', "json", "truncated", id="half of an answer"),
        pytest.param(500, b'{"status":500}', "json", "server_error", id="500"),
        pytest.param(502, STUB, "html", "server_error", id="502"),
        pytest.param(526, b"", "json", "server_error", id="526"),
    ],
)
def test_a_block_is_recognised(
    status: int, body: bytes, wants: Literal["json", "html"], kind: str
) -> None:
    block = recognise_block(answer(status, body), wants)
    assert isinstance(block, Block)
    assert block.kind is BlockKind(kind)
    assert block.remedy.endswith(".")


@pytest.mark.parametrize(
    ("status", "body", "wants"),
    [
        pytest.param(200, b'{"offers":[],"total":0}', "json", id="an empty board"),
        pytest.param(200, b'\xef\xbb\xbf {"offers":[]} \n', "json", id="a byte order mark"),
        pytest.param(200, b"[]", "json", id="an array"),
        pytest.param(400, b'{"status":400}', "json", id="the API's own 400"),
        pytest.param(405, SPRING, "json", id="the API's own 405"),
        pytest.param(404, b'{"status":404}', "json", id="the API's own 404"),
        pytest.param(200, PRODUCT, "html", id="a page that mentions reCAPTCHA"),
        pytest.param(404, SHELL, "html", id="a page that is not there"),
        pytest.param(
            200,
            "<title>Страница не найдена | Kaspi Магазин</title>".encode(),
            "html",
            id="its text",
        ),
        pytest.param(
            200, b'<script type="application/ld+json">{"@type" : "Product"}', "html", id="ld+json"
        ),
        pytest.param(
            200, b'<meta property="product:retailer_item_id" content="1">', "html", id="metas"
        ),
    ],
)
def test_a_right_answer_is_no_block(
    status: int, body: bytes, wants: Literal["json", "html"]
) -> None:
    assert recognise_block(answer(status, body), wants) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(CAPTCHA, BlockKind.CAPTCHA, id="a captcha"),
        pytest.param(SHELL, None, id="a page without data"),
        pytest.param(PRODUCT, None, id="a page that mentions reCAPTCHA"),
        pytest.param(
            b'<div class="g-recaptcha"></div><script>{"@type":"Product"}', None, id="ld+json alone"
        ),
    ],
)
def test_where_nothing_is_wanted_of_a_body_a_captcha_is_still_one(
    body: bytes, kind: BlockKind | None
) -> None:
    block = recognise_block(answer(200, body), None)
    assert (block and block.kind) is kind


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param("120", 120, id="seconds are kept"),
        pytest.param(" 5 ", 5, id="blanks do not matter"),
        pytest.param("0", 0, id="zero is not absent"),
        pytest.param("", None, id="nothing is nothing"),
        pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", None, id="a date was never seen"),
        pytest.param("-5", None, id="a negative time makes no sense"),
        pytest.param("9" * 5_000, 999_999_999, id="longer than any calendar is long"),
    ],
)
def test_how_long_to_wait(retry_after: str, seconds: int | None) -> None:
    block = recognise_block(answer(429, STUB, retry_after=retry_after), "json")
    assert block is not None
    assert block.wait_seconds == seconds


@given(st.binary(max_size=200).filter(lambda body: body.strip()[:1] not in (b"{", b"[")))
def test_what_is_not_json_is_never_data(body: bytes) -> None:
    if not body.startswith(b"\xef\xbb\xbf"):
        assert recognise_block(answer(200, body), "json") is not None


@given(st.integers(500, 599), st.binary(max_size=50))
def test_any_trouble_of_the_server_is_a_block(status: int, body: bytes) -> None:
    block = recognise_block(answer(status, body), "json")
    assert block is not None
    assert block.kind is BlockKind.SERVER_ERROR
