"""What can be done to a connection below HTTP."""

import asyncio
import socket
import struct

#: Closing at once, with a reset for whatever was not read.
_NO_LINGERING = struct.pack("ii", 1, 0)


def reset(transport: asyncio.WriteTransport | None) -> None:
    """End a connection so that the other side hears of a reset (RST)."""
    if transport is None or transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    transport.abort()
