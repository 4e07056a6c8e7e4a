"""Bodies that cannot be unpacked are empty, and the question is asked again."""

import gzip

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from kaspi_crawler.middlewares.unpacking import Unpacking

WHOLE = gzip.compress(b'{"offers":[]}' * 500)


@pytest.mark.parametrize(
    ("body", "unpacked"),
    [
        pytest.param(WHOLE, b'{"offers":[]}' * 500, id="a whole body is unpacked"),
        pytest.param(b'{"offers":[]}', b"", id="plain bytes that say they are gzip"),
        pytest.param(WHOLE[:40] + b"\xff" * 8 + WHOLE[48:], b"", id="a damaged stream"),
        pytest.param(gzip.compress(b" " * 300_000), b"", id="a bomb"),
        pytest.param(b"", b"", id="nothing at all"),
    ],
)
def test_what_becomes_of_a_packed_body(body: bytes, unpacked: bytes) -> None:
    request = Request("http://127.0.0.1/")
    unpacking = Unpacking.from_crawler(get_crawler(settings_dict={"DOWNLOAD_MAXSIZE": 100_000}))
    packed = Response(request.url, body=body, headers={"Content-Encoding": "gzip"})
    response = unpacking.process_response(request, packed)
    assert isinstance(response, Response)
    assert response.body == unpacked
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "zstd", "gzip, br"])
@pytest.mark.parametrize("body", [b'{"offers":[]}', b"\x1f\x8b\x08\xff\xff", b"\xff" * 50])
def test_no_packing_loses_a_question(packing: str, body: bytes) -> None:
    request = Request("http://127.0.0.1/")
    unpacking = Unpacking.from_crawler(get_crawler())
    packed = Response(request.url, body=body, headers={"Content-Encoding": packing})
    response = unpacking.process_response(request, packed)
    assert isinstance(response, Response)
    assert (response.body, response.flags) == (b"", [])
