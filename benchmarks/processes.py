"""Programs of a benchmark in processes of their own: so each one's memory and time is its own."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_SPAWN = multiprocessing.get_context("spawn")


def begin(work: Callable[..., None], *values: Any) -> tuple[Any, Connection]:
    """`work` in a process of its own, with `values` and its end of a pipe; and ours."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(*values, there), daemon=True)
    process.start()
    # So the end of that process is the end of the pipe.
    there.close()
    return process, here


def hear_ctrl_c() -> None:
    """Have what is begun from here on hear it, also where a shell's background jobs ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def serving(serve: Callable[..., None], *values: Any) -> Iterator[Any]:
    """What `serve` sends first; it is told to end with the block.

    :param serve: called with `values` and its end of a pipe
    """
    process, here = begin(serve, *values)
    try:
        yield here.recv()
    finally:
        here.send("end")
        process.join()


def answer_of(work: Callable[..., None], *values: Any, name: str) -> Any:
    """What `work` sends.

    :param work: called with `values` and its end of a pipe
    :param name: who has ended when there is no answer
    :raises SystemExit: when it ends without one
    """
    process, here = begin(work, *values)
    try:
        answer = here.recv()
    except EOFError:
        raise SystemExit(f"{name} has ended") from None
    process.join()
    return answer
