"""The sandbox of tests/deployment serves these tests, too."""

from tests.deployment.conftest import products, shop

__all__ = ["products", "shop"]
