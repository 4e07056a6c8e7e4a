"""A console in the project's directory, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from scrapy.cmdline import execute
from scrapy.utils.project import get_project_settings

ROOT = Path(__file__).parent.parent.parent
#: What a developer may have set, and the tests must not inherit.
OURS = (
    "DATABASE_URL", "DATA_DIR", "EXPORTS_DIR", "KASPI_URL", "KASPI_DELAY", "KASPI_PAGE_DELAY",
    "PROXIES", "KASPI_SECRET_KEY", "PUBLISH", "FEEDS_DIR", "FEED_USER", "FEED_PASSWORD",
)  # fmt: skip


@attrs.frozen
class Console:
    """Types `scrapy …` as a person does."""

    settings: Mapping[str, str]

    def having(self, **settings: str) -> "Console":
        """The same console with other settings in its environment."""
        return Console({**self.settings, **settings})

    def environ(self) -> dict[str, str]:
        """The environment of what is typed."""
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        return {**inherited, **self.settings}

    def run(
        self, *words: str, before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Type the words and wait for the end. `before` runs in the new process, first of all."""
        return subprocess.run(
            [sys.executable, "-m", "scrapy", *words],
            cwd=ROOT,
            env=self.environ(),
            preexec_fn=before,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def type_here(self, *words: str) -> int:
        """Type the words without a new process, which saves a second; the exit code."""
        settings = get_project_settings()
        settings.setdict(dict(self.settings), priority="cmdline")
        with pytest.raises(SystemExit) as ended:
            execute(["scrapy", *words], settings)
        return int(ended.value.code or 0)

    def start(self, *words: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Type the words and do not wait."""
        return subprocess.Popen(
            [sys.executable, "-m", "scrapy", *words], cwd=ROOT, env=self.environ(), **streams
        )
