"""Make the project's virtual environment: `python3 tools/environment.py [--dev]`.

Needs the standard library alone, and reads in any Python from 3.8 on, so that an old one can
say what is missing. A second call finds everything done and ends in milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

NAMES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3")
#: pip for machines whose Python comes without ensurepip, as Debian's does; by `pip download pip`.
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
INDEX = "https://pypi.org/simple"
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
#: Seconds that an index may be silent.
PATIENCE = 60
WHOLE = "import sys, pip; assert sys.version_info >= (3, 11)"
LOOK = (
    "import sys, importlib.util as u;"
    "print(sys.version_info[:2] >= (3, 11), bool(u.find_spec('venv')), sys.version.split()[0]);"
    "import ensurepip"
)


class Trouble(Exception):
    """Something that a person has to mend: the text says what and how."""


class Environment:
    """The virtual environment of one project."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.directory = project / ".venv"
        self.python = self.directory / "bin" / "python"
        self.stamp = self.directory / "installed.txt"

    def make(self, wanted: str) -> None:
        """Have everything of this requirements file. Raises Trouble."""
        if self.directory.is_symlink():
            raise Trouble(
                f"{self.directory} is a link to {os.path.realpath(str(self.directory))}, which"
                " may be another project's environment: nothing is made or installed through it."
                " Remove the link (`rm .venv`) to get an environment here"
            )
        if self.holds(wanted):
            return
        with self._alone():
            # Whoever waited for another process may find its work done.
            if not self.holds(wanted):
                self._create()
                self._install(wanted)

    def holds(self, wanted: str) -> bool:
        """Whether this very file was installed here, with the Python that is still there."""
        with contextlib.suppress(FileNotFoundError):
            return self._line(wanted) in self.stamp.read_text(encoding="utf-8").splitlines()
        return False

    def _line(self, name: str) -> str:
        try:
            content = (self.project / name).read_bytes()
        except FileNotFoundError as error:
            raise Trouble(f"{self.project} has no {name}") from error
        interpreter = os.path.realpath(str(self.python)) if self.python.exists() else "none"
        return f"{name} {hashlib.sha256(content).hexdigest()} {interpreter} {self.directory}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(str(self.project), os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _create(self) -> None:
        """Make an environment with pip, unless a whole one is there."""
        if self._is_at_home() and _runs([str(self.python), "-c", WHOLE]):
            return
        python, version, has_pip = find_python()
        say(f"making .venv with Python {version}")
        command = [python, "-m", "venv", "--clear", str(self.directory)]
        _run(command if has_pip else [*command, "--without-pip"], "no virtual environment")
        if not has_pip:
            self._install_pip()

    def _is_at_home(self) -> bool:
        """Whether it was made where it stands: its scripts name their Python by the whole path."""
        activate = self.directory / "bin" / "activate"
        if not (self.python.exists() and activate.exists()):
            return False
        whole_path = "[='\"]" + re.escape(str(self.directory)) + "(['\"]|$)"
        return bool(re.search(whole_path, activate.read_text("utf-8"), re.MULTILINE))

    def _install_pip(self) -> None:
        say(f"fetching {PIP}, for this Python comes without it")
        import tempfile  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as temporary:
            wheel = Path(temporary) / PIP
            wheel.write_bytes(fetch_pip())
            # A wheel is a zip file, and pip runs from one.
            command = [str(self.python), str(wheel / "pip"), "install", "--no-index", "--quiet"]
            _run([*command, str(wheel)], "pip could not install itself")

    def _install(self, wanted: str) -> None:
        count = len(
            re.findall(r"^\w\S*==", (self.project / wanted).read_text("utf-8"), re.MULTILINE)
        )
        say(f"installing {count} packages from {wanted}, the first time takes a minute")
        with contextlib.suppress(FileNotFoundError):
            self.stamp.unlink()
        command = [str(self.python), "-m", "pip", "install", "--require-hashes", "--compile"]
        quiet = ["--quiet", "--progress-bar=off", "--no-input", "--disable-pip-version-check"]
        where = ["--requirement", str(self.project / wanted)]
        _run([*command, *quiet, *where], f"pip could not install {wanted}")
        self._remember(wanted)

    def _remember(self, wanted: str) -> None:
        # The development's requirements contain those of running.
        done = [wanted, RUNTIME] if wanted == DEVELOPMENT else [wanted]
        lines = [self._line(name) for name in done if (self.project / name).exists()]
        unfinished = self.stamp.with_suffix(".unfinished")
        unfinished.write_text("\n".join([*lines, ""]), encoding="utf-8")
        unfinished.replace(self.stamp)


def find_python() -> tuple[str, str, bool]:
    """A Python that is new enough, its version, and whether it can bring pip. Raises Trouble."""
    ourselves = getattr(sys, "_base_executable", "") or sys.executable
    for name in (ourselves, *NAMES):
        path = shutil.which(name)
        looked = _look(path) if path else None
        if path and looked:
            return path, looked[0], looked[1]
    raise Trouble(
        "this needs Python 3.11 or newer with its venv module, and here is"
        f" {sys.version.split()[0]}; install one:"
        "\n  Debian, Ubuntu: sudo apt install python3 python3-venv"
        "\n  macOS:          brew install python@3.13"
    )


def _look(python: str) -> tuple[str, bool] | None:
    """The version of a Python that will do, and whether it can bring pip."""
    try:
        seen = subprocess.run(  # noqa: S603
            [python, "-c", LOOK], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    new, has_venv, version = ([*seen.stdout.split(), "", "", ""])[:3]
    return (version, not seen.returncode) if (new, has_venv) == ("True", "True") else None


def fetch_pip() -> bytes:
    """The pinned wheel of pip, from a directory of wheels or the index. Raises Trouble."""
    from urllib.parse import urljoin, urlsplit  # noqa: PLC0415  (slow, and seldom needed)

    for directory in os.environ.get("PIP_FIND_LINKS", "").split():
        wheel = Path(directory) / PIP
        if wheel.is_file():
            return _verified(wheel.read_bytes(), str(wheel))
    page = os.environ.get("PIP_INDEX_URL", INDEX).rstrip("/") + "/pip/"
    for name in re.findall(r'href="([^"]+)"', _get(page).decode("utf-8", "replace")):
        address = urljoin(page, name.replace("&amp;", "&"))
        if urlsplit(address).path.endswith("/" + PIP):
            return _verified(_get(address), address)
    raise Trouble(f"the index offers no {PIP}; set PIP_INDEX_URL to one that does")


def _verified(content: bytes, origin: str) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    if digest != PIP_SHA256:
        raise Trouble(
            f"{origin.rpartition('@')[2]} is not the pip that was pinned: its SHA-256 is {digest}"
        )
    return content


def _get(address: str) -> bytes:
    """Read an address, with the name and password that it may contain. Raises Trouble."""
    import base64  # noqa: PLC0415
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415
    from urllib.request import Request  # noqa: PLC0415

    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=host).geturl()
    request = Request(bare, headers={"Accept": "text/html, */*"})  # noqa: S310
    if user:
        word = base64.b64encode(unquote(user).encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
    try:
        with _opener().open(request, timeout=PATIENCE) as answer:
            return bytes(answer.read())
    except OSError as error:
        trouble = f"{bare} cannot be read: {error}; check the network, or set PIP_INDEX_URL"
        raise Trouble(trouble) from error


def _opener() -> OpenerDirector:
    """What pip's own environment variables say about proxies and certificates."""
    import ssl  # noqa: PLC0415
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener  # noqa: PLC0415

    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    proxy = os.environ.get("PIP_PROXY")
    # Without a proxy of pip's own, those of the environment hold.
    proxies = ProxyHandler({"http": proxy, "https": proxy}) if proxy else ProxyHandler()
    return build_opener(HTTPSHandler(context=context), proxies)


def _runs(command: list[str]) -> bool:
    with contextlib.suppress(OSError):
        return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603
    return False


def _run(command: list[str], trouble: str) -> None:
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise Trouble(f"{trouble}:\n{said}")


def say(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"environment: {line}\n")
    sys.stdout.flush()


def main() -> NoReturn:
    """Make the environment of the project that this file belongs to."""
    parser = argparse.ArgumentParser(description="Make .venv and install what is pinned.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    wanted = DEVELOPMENT if parser.parse_args().dev else RUNTIME
    try:
        Environment(Path(__file__).resolve().parent.parent).make(wanted)
    except (Trouble, OSError) as error:
        sys.exit(f"environment: {error}")
    sys.exit(0)


if __name__ == "__main__":
    main()
