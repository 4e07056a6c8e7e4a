"""Python, its packages, the directories, the browser and scrapyd's configuration."""

import configparser
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.browser.executable import HOW_TO_INSTALL, chromium
from kaspi_crawler.health.verdict import Verdict

#: As pyproject.toml says.
OLDEST_PYTHON = (3, 11)
#: Below so many free bytes a crawl of a large work list may stop.
ROOMY = 1_000_000_000


def python(running: tuple[int, int, int]) -> Verdict:
    """Whether Python is new enough."""
    said = ".".join(map(str, running))
    if running[:2] >= OLDEST_PYTHON:
        return Verdict.well("Python", said)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Verdict.wrong("Python", said, f"Install Python {oldest} or newer, then `make setup`.")


def packages(requirements: Path) -> Verdict:
    """Whether the packages are those that the project is tested with."""
    try:
        wanted = pins(requirements.read_text(encoding="utf-8"))
    except OSError:
        return Verdict.well("packages", f"not compared: there is no {requirements}")
    return compared(wanted, installed(wanted))


def pins(requirements: str) -> dict[str, str]:
    """Names and versions pinned for this machine in the text of a requirements.txt."""
    found: dict[str, str] = {}
    for line in requirements.splitlines():
        if line[:1].isalnum():
            wanted = Requirement(line.removesuffix("\\"))
            if wanted.marker is None or wanted.marker.evaluate():
                found[canonicalize_name(wanted.name)] = str(wanted.specifier).removeprefix("==")
    return found


def installed(names: Iterable[str]) -> dict[str, str]:
    """The versions of those of the packages that are here."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def compared(wanted: Mapping[str, str], found: Mapping[str, str]) -> Verdict:
    """Name the packages that are missing or of another version; the rest are only counted."""
    remedy = "Run `make setup`: it installs exactly what requirements.txt says."
    differing = [
        f"{name} is {found[name]}, tested is {pinned}"
        for name, pinned in wanted.items()
        if found.get(name, pinned) != pinned
    ]
    if missing := [f"{name} is missing" for name in wanted if name not in found]:
        return Verdict.wrong("packages", "\n".join([*missing, *differing]), remedy)
    if differing:
        return Verdict.doubtful("packages", "\n".join(differing), remedy)
    return Verdict.well("packages", f"{len(wanted)}, as in requirements.txt")


def free_bytes(place: Path) -> int:
    """Free space where a directory lies."""
    return shutil.disk_usage(place).free


def directory(name: str, path: Path, free: Callable[[Path], int] = free_bytes) -> Verdict:
    """Whether a directory can be written to, or made, and has room. `name` is its setting."""
    subject = name.removesuffix("_DIR").lower()
    elsewhere = f"set {name} to a directory that can be written"
    place = _nearest(path.expanduser().absolute())
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0" * 4096)
        left = free(place)
    except OSError as error:
        reason = error.strerror or str(error)
        return Verdict.wrong(subject, f"{place}: {reason}", f"Mend that, or {elsewhere}.")
    said = f"{path}, {left / 1e9:,.1f} GB free" + ("" if path.exists() else ", not made yet")
    if left < ROOMY:
        return Verdict.doubtful(subject, said, f"Free some space, or {elsewhere}.")
    return Verdict.well(subject, said)


def browser(named: str) -> Verdict:
    """Whether there is a Chromium that starts. `named` is CHROMIUM."""
    remedy = f"To read pages without their state, {HOW_TO_INSTALL}; or crawl with browser=never."
    try:
        program = chromium(named)
    except BadArgument as error:
        return Verdict.wrong("browser", str(error), "Correct CHROMIUM, or unset it.")
    if program is None:
        return Verdict.doubtful("browser", "there is no Chromium", remedy)
    try:
        told = subprocess.run(  # noqa: S603 - the program that the crawl would start as well
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Verdict.doubtful("browser", f"{program} does not start: {error}", remedy)
    return Verdict.well("browser", f"{told.stdout.strip()} at {program}")


def scrapyd(root: Path) -> Verdict:
    """Whether crawls could be scheduled from here."""
    path = root / "scrapyd.conf"
    parser = configparser.ConfigParser()
    remedy = "Take scrapyd.conf from the repository; crawls that you start yourself need none."
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        said = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        return Verdict.doubtful("scrapyd", said, remedy)
    if not parser.has_section("scrapyd"):
        return Verdict.doubtful("scrapyd", f"{path} has no [scrapyd] section", remedy)
    return Verdict.well("scrapyd", str(path))


def _nearest(path: Path) -> Path:
    """The path itself, or the closest of its parents that is there."""
    return next(each for each in (path, *path.parents) if each.exists())
