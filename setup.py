"""Packs the rooms into an egg for a scrapyd elsewhere: `make egg`, or scrapyd-deploy."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
#: What is packed: the rooms and nothing beside them.
ROOMS = (
    "dashboard",
    "domain",
    "kaspi_crawler",
    "partners",
    "pipelines",
    "repricer",
    "sandbox",
    "storage",
)


def requirements() -> list[str]:
    """What the egg needs on the machine that runs it; scrapyd itself does not look at it."""
    lines = (HERE / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


setup(
    packages=find_packages(include=[name for room in ROOMS for name in (room, f"{room}.*")]),
    install_requires=requirements(),
    # What is no module (a page's template, a table of words) comes along, to be read through
    # importlib.resources.
    package_data={
        "": ["*.json", "*.html", "*.csv", "*.tsv", "*.sql", "*.txt", "*.xsd", "*.css", "*.js"]
    },
    entry_points={"scrapy": ["settings = kaspi_crawler.settings"]},
    zip_safe=True,
)
