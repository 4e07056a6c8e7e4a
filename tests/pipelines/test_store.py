"""The end of a run is the crawl's own word, or somebody else's, which it obeys."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from pipelines import store
from pipelines.store import Store


async def nothing(*_: object) -> None:
    """Do nothing."""


def stage(reasons: list[str]) -> Store:
    """A stage of a crawl that keeps the reasons for which it is closed."""

    async def close(reason: str) -> None:
        reasons.append(reason)

    crawler: Any = SimpleNamespace(
        engine=SimpleNamespace(close_spider_async=close),
        spider=SimpleNamespace(run=SimpleNamespace(id=UUID(int=7))),
        settings=SimpleNamespace(getfloat=lambda _name: 0.0),
    )
    made = Store(crawler)
    made._engine = cast("Any", SimpleNamespace(dispose=nothing))
    made._writer = cast("Any", SimpleNamespace(counts={}))
    made._pulse = cast("Any", SimpleNamespace(stop=nothing))
    return made


async def test_an_end_that_somebody_else_has_written_ends_the_crawl() -> None:
    reasons: list[str] = []
    stage(reasons)._overruled("stuck")
    await asyncio.sleep(0)
    assert reasons == ["stuck"]


async def test_the_end_that_a_crawl_has_just_written_is_no_order(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reasons: list[str] = []
    closing = stage(reasons)

    async def write_end(*_: object) -> None:
        closing._overruled("finished")  # the pulse looked between this and its own end

    monkeypatch.setattr(store, "end_run", write_end)
    await closing.spider_closed("finished")
    await asyncio.sleep(0)
    assert (reasons, caplog.records) == ([], [])
