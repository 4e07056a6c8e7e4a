"""What is asked at the same time is answered together, by one question to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Together(Generic[Asked, Answered]):
    """Gathers what waits while the question before is under way.

    `answer` is given all of it, and returns as many answers in the same order. When it raises,
    everybody who waits hears of it.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Awaitable[Sequence[Answered]]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[Asked, asyncio.Future[Answered]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answered:
        """The answer to one of them. Raises what `answer` raises."""
        answered: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answered))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer_all())
        return await answered

    async def _answer_all(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                answers = await self._answer([asked for asked, _ in taken])
            except BaseException as error:  # (everybody who waits must hear of it)
                for _, answered in taken:
                    _settle(answered, error)
                if not isinstance(error, Exception):
                    raise
            else:
                for (_, answered), answer in zip(taken, answers, strict=True):
                    _settle(answered, answer)


def _settle(answered: asyncio.Future[Answered], answer: Answered | BaseException) -> None:
    """Say it, unless the one who asked has gone."""
    if answered.done():
        return
    if isinstance(answer, BaseException):
        answered.set_exception(answer)
    else:
        answered.set_result(answer)
