"""Many requests at once, from code that waits for them: an event loop that leaves nothing running behind it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")


def finish(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a coroutine comes to. Interrupted, it is cancelled before this returns.

    Where an event loop runs in this thread already (a notebook), the work is done in a thread of its own.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    return _aside(work)


async def each(count: int, at_once: int, do: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Do something with 0 to count − 1, so many at once. The first that raises ends the others."""
    waiting = iter(range(count))

    async def worker() -> None:
        for index in waiting:
            await do(index)

    tasks = [asyncio.create_task(worker()) for _ in range(min(at_once, count))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _aside(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    done: list[T] = []
    failed: list[BaseException] = []
    at_work: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T] | None]] = []
    begun, ended = Event(), Event()

    async def told() -> T:
        at_work.append((asyncio.get_running_loop(), asyncio.current_task()))
        begun.set()
        return await work()

    def run() -> None:
        try:
            done.append(asyncio.run(told()))
        except BaseException as error:  # noqa: BLE001  # it is raised again in the thread that waits
            failed.append(error)
        finally:
            begun.set()
            ended.set()

    thread = Thread(target=run, name="asking", daemon=True)
    thread.start()
    try:
        while not ended.wait(0.2):  # a wait without end, and a join, cannot be interrupted everywhere
            pass
    except BaseException:
        begun.wait()
        for loop, task in at_work:
            if task is not None:
                with suppress(RuntimeError):  # it ended meanwhile
                    loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return done[0]
