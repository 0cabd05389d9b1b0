"""A thread that runs coroutines for other threads, which do not wait for them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread"]


class LoopThread:
    """A thread with an event loop, which ends with the process or when it is closed.

    Args:
        name: The name of the thread, as debuggers and logs show it.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, None]) -> Callable[[], None]:
        """Run a coroutine in the thread, and return a function that cancels it from any thread."""
        future = asyncio.run_coroutine_threadsafe(_logged(work), self._loop)

        def cancel() -> None:
            future.cancel()

        return cancel

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function in the thread."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def close(self, wait_s: float) -> None:
        """Cancel all coroutines, and wait for the thread to end, at most ``wait_s`` seconds."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_end_others())
        finally:
            self._loop.close()


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that nobody waits for, and log an error that it raises."""
    try:
        await work
    except Exception:
        get_logger().exception("a thread failed", thread=threading.current_thread().name)
        raise


async def _end_others() -> None:
    """Cancel all other tasks, and wait until they have freed their resources."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # The loop closes sockets only in its next iteration.
    await asyncio.sleep(0)
