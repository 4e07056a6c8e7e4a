"""What the Dockerfile and .dockerignore say, read the way Docker reads them."""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order: the word, and the rest of its line."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    whole = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    pairs = (line.partition(" ") for line in whole.splitlines() if line.strip())
    return [(word, rest.strip()) for word, _, rest in pairs]


def said(word: str) -> list[str]:
    """What the Dockerfile says after each of these words."""
    return [rest for found, rest in instructions() if found == word]


def command_in(text: str) -> list[str]:
    """The command of CMD or HEALTHCHECK, which stands as a JSON array."""
    return [str(part) for part in json.loads(text[text.index("[") :])]


def let_in() -> list[str]:
    """The paths that .dockerignore lets into the image: it shuts all others out."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def copy_into(directory: Path) -> None:
    """Do what `COPY . ./` does."""
    for name in let_in():
        origin, target = ROOT / name, directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif origin.exists():
            shutil.copy2(origin, target)
