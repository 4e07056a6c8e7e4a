"""tools/environment.py in a project of its own, without the network.

The wheels are made here; pip is the one that this Python carries, offered by an index on loopback.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "tools" / "environment.py"


class Quiet(SimpleHTTPRequestHandler):
    """A directory over HTTP, without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Project:
    """A directory with the script, requirements and a place for wheels."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said = ""
        self.wheels = root / "wheels"
        for directory in (root / "tools", self.wheels):
            directory.mkdir()
        self.script = root / "tools" / "environment.py"
        self.script.write_text(SCRIPT.read_text("utf-8"), "utf-8")

    def wheel(self, name: str, content: str) -> str:
        """Make a package of one module; returns its pinned line."""
        path = self.wheels / f"{name}-1-py3-none-any.whl"
        information = f"{name}-1.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", content)
            archive.writestr(
                f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
            )
            archive.writestr(
                f"{information}/WHEEL",
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            archive.writestr(f"{information}/RECORD", "")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{name}==1 --hash=sha256:{digest}\n"

    def require(self, *lines: str, name: str = "requirements.txt") -> None:
        (self.root / name).write_text("".join(lines))

    def environ(self, **more: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return {**ours, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **more}

    def make(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(self.script), *words],
            env=self.environ(**more),
            capture_output=True,
            text=True,
            check=False,
        )

    def imports(self, name: str) -> bool:
        python = self.root / ".venv" / "bin" / "python"
        return not subprocess.run(
            [python, "-c", f"import {name}"], cwd="/", capture_output=True, check=False
        ).returncode


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose environment was made, by two processes at once."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.require(project.wheel("apples", "kind = 'green'\n"))
    command = [sys.executable, str(project.script)]
    both = [
        subprocess.Popen(command, env=project.environ(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    project.said = "".join(each.communicate()[0] for each in both)
    assert [each.returncode for each in both] == [0, 0]
    return project


def test_two_at_once_make_one_environment(made: Project) -> None:
    assert made.said.count("making .venv") == 1
    assert made.said.count("installing") == 1


def test_what_is_pinned_is_installed_and_compiled(made: Project) -> None:
    assert made.imports("apples")
    assert list((made.root / ".venv").rglob("apples.*.pyc"))


def test_a_second_call_does_nothing_in_a_moment(made: Project) -> None:
    before = os.times().children_user
    done = made.make()
    spent = os.times().children_user - before
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert spent < 0.25, "Python's own start is the most of it"


def test_a_copied_project_gets_an_environment_of_its_own(made: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "my shop"
    shutil.copytree(made.root, elsewhere, symlinks=True)
    command = [sys.executable, str(elsewhere / "tools" / "environment.py")]
    said = [subprocess.check_output(command, env=made.environ(), text=True) for _ in range(2)]
    assert ["making .venv" in each for each in said] == [True, False]
    pip = subprocess.check_output([elsewhere / ".venv" / "bin" / "pip", "--version"], text=True)
    assert str(elsewhere) in pip


def test_a_changed_requirement_is_installed(made: Project) -> None:
    lines = [made.wheel("apples", "kind = 'green'\n"), made.wheel("pears", "kind = 'yellow'\n")]
    made.require(*lines, name="requirements-dev.txt")
    assert "installing 2 packages from requirements-dev.txt" in made.make("--dev").stdout
    assert made.imports("pears")
    assert made.make().stdout == "", "the development's environment holds what running needs"


def test_an_interrupted_installation_is_done_again(made: Project) -> None:
    (made.root / ".venv" / "installed.txt").unlink()
    (made.root / ".venv" / "installed.unfinished").write_text("half")
    assert "installing 1 packages" in made.make().stdout
    assert made.make().stdout == ""


def test_a_package_with_another_hash_is_refused(made: Project) -> None:
    line = made.wheel("plums", "kind = 'blue'\n")
    made.wheel("plums", "kind = 'poisoned'\n")
    made.require(line, name="requirements-dev.txt")
    done = made.make("--dev")
    assert done.returncode == 1
    assert "pip could not install requirements-dev.txt" in done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "Traceback" not in done.stderr
    assert not made.imports("plums")
    assert "installing" in made.make("--dev").stdout, "nothing is taken for done"


def test_a_missing_file_is_named(project: Project) -> None:
    done = project.make()
    assert done.returncode == 1
    assert f"{project.root} has no requirements.txt" in done.stderr


def test_an_environment_is_not_made_through_a_link(project: Project) -> None:
    """It may be another checkout's: to clear it would destroy it."""
    theirs = project.root / "theirs"
    theirs.mkdir()
    (theirs / "kept.txt").touch()
    (project.root / ".venv").symlink_to(theirs)
    project.require(project.wheel("apples", ""))
    done = project.make()
    assert done.returncode == 1
    assert f".venv is a link to {theirs}" in done.stderr
    assert "rm .venv" in done.stderr
    assert [path.name for path in theirs.iterdir()] == ["kept.txt"]


# --- a Python without ensurepip ------------------------------------------------------------


@pytest.fixture
def index(project: Project) -> Iterator[str]:
    """An index that offers the pip which this Python carries; the script is told its name."""
    ensurepip = pytest.importorskip("ensurepip")
    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if bundled is None:
        pytest.skip("this Python carries no wheel of pip")
    content = bundled.read_bytes()
    source = project.script.read_text("utf-8")
    source = re.sub(r'^PIP = ".*"', f'PIP = "{bundled.name}"', source, flags=re.MULTILINE)
    digest = hashlib.sha256(content).hexdigest()
    source = re.sub(r'^PIP_SHA256 = ".*"', f'PIP_SHA256 = "{digest}"', source, flags=re.MULTILINE)
    project.script.write_text(source, "utf-8")
    served = project.root / "index"
    (served / "pip").mkdir(parents=True)
    (served / "files").mkdir()
    (served / "files" / bundled.name).write_bytes(content)
    (served / "pip" / "index.html").write_text(
        f'<a href="../files/{bundled.name}#sha256={digest}">{bundled.name}</a>'
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bare(project: Project) -> dict[str, str]:
    """An environment in which Python has no ensurepip, as Debian's without python3-venv."""
    shadow = project.root / "shadow"
    shadow.mkdir()
    (shadow / "ensurepip.py").write_text("raise ImportError('not here')\n")
    project.require(project.wheel("apples", "kind = 'green'\n"))
    return {"PYTHONPATH": str(shadow), "no_proxy": "127.0.0.1"}


def test_without_ensurepip_pip_comes_from_the_index(
    project: Project, index: str, bare: dict[str, str]
) -> None:
    done = project.make(**bare, PIP_INDEX_URL=f"{index}/")
    assert done.returncode == 0, done.stderr
    assert "fetching pip-" in done.stdout
    assert project.imports("apples")


def test_a_pip_that_was_tampered_with_is_refused(
    project: Project, index: str, bare: dict[str, str]
) -> None:
    (wheel,) = (project.root / "index" / "files").iterdir()
    wheel.write_bytes(wheel.read_bytes() + b"more")
    done = project.make(**bare, PIP_INDEX_URL=index)
    assert done.returncode == 1
    assert "is not the pip that was pinned" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_index_that_does_not_answer_is_named(project: Project, bare: dict[str, str]) -> None:
    done = project.make(**bare, PIP_INDEX_URL="http://user:secret@127.0.0.1:1/simple")
    assert done.returncode == 1
    assert "http://127.0.0.1:1/simple/pip/ cannot be read" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert "secret" not in done.stderr


def test_without_a_new_python_it_says_what_to_install(project: Project, tmp_path: Path) -> None:
    # A Python whose venv module is missing will not do, and PATH has no other.
    shadow = tmp_path / "nothing"
    shadow.mkdir()
    (shadow / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'venv' else find(name, *more)\n"
    )
    project.require()
    done = project.make(PYTHONPATH=str(shadow), PATH="/nonexistent")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr
