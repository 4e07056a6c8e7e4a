"""Bodies that go out plain or gzipped; constant parts are deflated once and glued in."""

import zlib
from collections.abc import Sequence

import attrs

#: Deflate level of what is made for each answer: the cheapest.
_FAST = 1
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
#: An empty last block: ends a deflate stream whose parts were all flushed.
_LAST_BLOCK = b"\x03\x00"


@attrs.frozen
class Part:
    """A piece of a body with its own deflate blocks, which refer to no other piece."""

    plain: bytes
    deflated: bytes


def part(plain: bytes, level: int = _FAST) -> Part:
    """Deflate a piece so that it can stand anywhere in a stream."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Part(plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH))


@attrs.define
class Body:
    """What an answer carries. Gzipped when first asked for, and then kept."""

    _parts: Sequence[bytes | Part]
    _gzipped: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes it is, unpacked."""
        return sum(len(_plain(piece)) for piece in self._parts)

    @property
    def plain(self) -> bytes:
        """The bytes as they are."""
        return b"".join(_plain(piece) for piece in self._parts)

    @property
    def gzipped(self) -> bytes:
        """The bytes as one gzip member."""
        if self._gzipped is None:
            self._gzipped = self._pack()
        return self._gzipped

    def _pack(self) -> bytes:
        parts = [piece if isinstance(piece, Part) else part(piece) for piece in self._parts]
        check, size = 0, 0
        for piece in parts:
            check, size = zlib.crc32(piece.plain, check), size + len(piece.plain)
        trailer = check.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
        return b"".join((_GZIP_HEADER, *(piece.deflated for piece in parts), _LAST_BLOCK, trailer))


def _plain(piece: bytes | Part) -> bytes:
    return piece.plain if isinstance(piece, Part) else piece
