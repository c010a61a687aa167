"""Spreads tasks over processes where there is enough work and the system can fork."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fault import CannotRun

# With less work, a second process would cost more than it saves.
MIN_WEIGHT = 4 << 20
# The largest table takes a good part of the time; more processes would only take memory.
_MAX_PROCESSES = 4
# A task is handed out as one byte.
_MAX_TASKS = 256
_MAX_FRAMES = 10_000

Work = Callable[[Any], Iterator[Any]]


def spread(tasks: Sequence, weights: Sequence[int], work: Work) -> Iterator[tuple[Any, Any]]:
    """Each task with each thing that the work on it yields, in no particular order.

    The heaviest tasks are begun first, each by the next process that is free.
    """
    count = min(_processors(), len(tasks), _MAX_PROCESSES)
    if count < 2 or len(tasks) > _MAX_TASKS or sum(weights) < MIN_WEIGHT:
        for task in tasks:
            for found in work(task):
                yield task, found
        return
    queue, entrance = os.pipe()
    os.write(entrance, bytes(sorted(range(len(tasks)), key=lambda index: -weights[index])))
    os.close(entrance)
    mine = _do(queue, tasks, work)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, queue)
        others = [stack.enter_context(_process(mine)) for _ in range(count - 1)]
        for index, found in mine:
            yield tasks[index], found
        for results in others:
            for index, found in results:
                yield tasks[index], found


def _processors() -> int:
    if not hasattr(os, "fork"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _do(queue: int, tasks: Sequence, work: Work) -> Iterator[tuple[int, Any]]:
    while index := os.read(queue, 1):
        for found in work(tasks[index[0]]):
            yield index[0], found


@contextlib.contextmanager
def _process(mine: Iterator) -> Iterator[Iterator]:
    """A process that does its part of the work, as what it yields."""
    results, entrance = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(results)
            _send(mine, entrance)
        finally:
            os._exit(0)
    os.close(entrance)
    try:
        yield _receive(results)
    finally:
        os.close(results)
        os.kill(pid, signal.SIGKILL)  # nothing is left to do, or nobody wants it
        os.waitpid(pid, 0)


def _send(mine: Iterator, entrance: int) -> None:
    import pickle

    # Nobody reads while there are other tasks, and a full pipe makes a process wait.
    frames: list[bytes] = []
    with os.fdopen(entrance, "wb") as file:
        try:
            for found in mine:
                frames.append(pickle.dumps(found))
                if len(frames) > _MAX_FRAMES:
                    file.write(b"".join(frames))
                    frames.clear()
            frames.append(pickle.dumps(None))
        except Exception as error:
            frames.append(pickle.dumps(error))
        file.write(b"".join(frames))


def _receive(results: int) -> Iterator:
    import pickle

    with os.fdopen(results, "rb", closefd=False) as file:
        try:
            while (found := pickle.load(file)) is not None:
                if isinstance(found, Exception):
                    raise found
                yield found
        except (EOFError, pickle.UnpicklingError):  # nothing more, or half of something
            message = "a process that read tables was ended; is there enough memory?"
            raise CannotRun(message) from None
