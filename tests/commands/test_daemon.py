"""`scrapy daemon` says why scrapyd could not listen, before it becomes one."""

import socket

import pytest

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.commands import daemon


def test_a_port_that_is_taken_is_told_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            BadArgument, match=f"listen at 127.0.0.1:{port}: Address already in use"
        ):
            daemon._try_port({"SCRAPYD_HTTP_PORT": str(port)})
    daemon._try_port({"SCRAPYD_HTTP_PORT": str(port)})


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_what_is_no_port_is_told(port: str) -> None:
    with pytest.raises(BadArgument, match=f"{port}.*is no port"):
        daemon._try_port({"SCRAPYD_HTTP_PORT": port})
