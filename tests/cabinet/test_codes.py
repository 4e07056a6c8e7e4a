"""A code comes from the terminal or from a command, or is not there for a reason that is said."""

import io
import os
import pty
import sys

import pytest

from domain.identity import MerchantId
from kaspi_crawler.cabinet.codes import Codes, NoCode
from partners.kaspi.cabinet_login import By, CodeWanted

STORE = MerchantId("30000001")
WANTED = CodeWanted(by=By.MAIL, sent_to="use***@example.kz")


def codes(command: str = "", patience: float = 20) -> Codes:
    return Codes(command=command, patience=patience)


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def test_a_command_prints_the_code_and_is_told_what_it_is_for() -> None:
    said = "sh -c 'test $KASPI_CODE_STORE.$KASPI_CODE_KIND = 30000001.mail && echo \" 123456 \"'"
    assert codes(said).ask(STORE, WANTED) == "123456"


def test_a_command_is_not_told_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KASPI_SECRET_KEY", "secret")
    assert codes("sh -c 'echo 1${KASPI_SECRET_KEY:-2345}'").ask(STORE, WANTED) == "12345"


@pytest.mark.parametrize(
    ("command", "patience", "words"),
    [
        pytest.param("", 20, ["use***@example.kz", "nobody to type it"], id="no command"),
        pytest.param("false", 20, ["ended with 1"], id="a command that fails"),
        pytest.param("no-such-command", 20, ["cannot be run"], id="no such command"),
        pytest.param("sh -c 'echo your code is 987654'", 20, ["is no code"], id="a sentence"),
        pytest.param("sleep 20", 0.2, ["took longer"], id="a command without an end"),
    ],
)
def test_a_code_that_is_not_there_is_said(command: str, patience: float, words: list[str]) -> None:
    with pytest.raises(NoCode) as complaint:
        codes(command, patience).ask(STORE, WANTED)
    assert not [word for word in words if word not in str(complaint.value)]
    assert "987654" not in str(complaint.value)


def test_a_person_at_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = pty.openpty()
    screen = os.fdopen(terminal, "r+b", buffering=0)
    typed = os.fdopen(os.dup(terminal), encoding="utf-8")
    shown = os.fdopen(os.dup(terminal), "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys, "stderr", shown)
    os.write(keyboard, b"123456\n")
    assert codes("false").ask(STORE, WANTED) == "123456"
    with pytest.raises(NoCode, match="nobody typed"):
        codes(patience=0.1).ask(STORE, WANTED)
    monkeypatch.undo()
    assert b"code sent by mail to use***@example.kz" in os.read(keyboard, 1_000)
    for end in (screen, typed, shown):
        end.close()
    os.close(keyboard)
