"""Where a search's backtests run: processes of this machine, or a cluster that is there already.

joblib spreads them in every case, so that a cluster is one option and no other code.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Literal, TypeVar

import joblib

from bubbybot_freqtrade.search.study import Runner, StudyError
from bubbybot_freqtrade.search.trial import run

Backend = Literal["local", "dask", "ray"]
Item = TypeVar("Item")
Made = TypeVar("Made")
EXTRAS = {"dask": "distributed", "ray": "ray"}


@contextmanager
def workers(backend: Backend, jobs: int = -1, scheduler: str | None = None) -> Iterator[None]:
    """Processes or a cluster for whatever joblib is given inside the block.

    :param jobs: processes of this machine, −1 for one a core; a cluster uses all its workers
    :param scheduler: the cluster's address: of Dask's scheduler (tcp://host:8786), of Ray's head
    :raises StudyError: when the cluster's package or address is missing.
    """
    package = EXTRAS.get(backend)
    if package is not None and find_spec(package) is None:
        raise StudyError(
            f"--backend {backend} needs {package}, which is not installed: pip install {package}"
        )
    if backend != "local" and not scheduler:
        raise StudyError(f"--backend {backend} needs the cluster's address: --scheduler …")
    with ExitStack() as stack:
        if backend == "dask":
            _connect_to_dask(stack, str(scheduler))
        elif backend == "ray":
            _connect_to_ray(stack, str(scheduler))
        else:
            stack.enter_context(joblib.parallel_config(backend="loky", n_jobs=jobs))
        yield


@contextmanager
def runner(backend: Backend, jobs: int = -1, scheduler: str | None = None) -> Iterator[Runner]:
    """Whoever backtests a search's tasks, for as long as the block lasts; options of `workers`."""
    with workers(backend, jobs, scheduler):
        yield partial(side_by_side, run)


def side_by_side(make: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """`make` of each item by the workers, in the items' order."""
    # One item a message: each takes seconds, and none should wait for another.
    made: list[Made] = joblib.Parallel(batch_size=1, pre_dispatch="all")(
        joblib.delayed(make)(item) for item in items
    )
    return made


def _connect_to_dask(stack: ExitStack, scheduler: str) -> None:
    from distributed import Client

    try:
        stack.enter_context(Client(scheduler))
    except (OSError, ValueError) as error:
        raise StudyError(f"--scheduler {scheduler} does not answer: {error}") from error
    stack.enter_context(joblib.parallel_config(backend="dask", n_jobs=-1))


def _connect_to_ray(stack: ExitStack, scheduler: str) -> None:
    import ray
    from ray.util.joblib import register_ray

    stack.enter_context(ray.init(address=scheduler))
    register_ray()
    stack.enter_context(joblib.parallel_config(backend="ray", n_jobs=-1))
