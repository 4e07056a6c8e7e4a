"""A sandbox for the jobs of a real scrapyd."""

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.deployment.daemon import PATIENCE, until

PRODUCTS = 4


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox with a few cards."""
    told = tmp_path_factory.mktemp("sandbox") / "address"
    command = [sys.executable, "-m", "sandbox", "--products", str(PRODUCTS)]
    process = subprocess.Popen([*command, "--port-file", str(told)], stdout=subprocess.DEVNULL)
    try:
        until(told.exists, "the sandbox is open")
        yield told.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def products(shop: str) -> list[str]:
    """The ids of all cards of the shop."""
    with urlopen(f"{shop}/sandbox/products", timeout=PATIENCE) as answer:  # noqa: S310
        return [str(product["id"]) for product in json.load(answer)]
