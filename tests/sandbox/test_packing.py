"""Glued gzip bodies are read by ordinary readers."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.packing import Body, part


@given(st.lists(st.tuples(st.binary(max_size=400), st.booleans()), max_size=5))
def test_a_gzipped_body_unpacks_to_its_parts(pieces: list[tuple[bytes, bool]]) -> None:
    body = Body([part(piece) if made_before else piece for piece, made_before in pieces])
    whole = b"".join(piece for piece, _ in pieces)
    assert gzip.decompress(body.gzipped) == whole == body.plain
    assert body.size == len(whole)


@pytest.mark.parametrize("size", [pytest.param(200_000, id="a body larger than the window")])
def test_parts_do_not_refer_to_each_other(size: int) -> None:
    constant = part(b"city" * (size // 4), level=6)
    body = Body([b"head", constant, b"state", constant])
    assert gzip.decompress(body.gzipped) == body.plain
