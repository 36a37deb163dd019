"""Independent pieces of work, side by side, through joblib.

By default in processes of our own; Ray and Dask reach other machines, which
must see the same folders. Pure Python.
"""

import contextlib
import functools
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator

import joblib
from joblib.externals.loky import ProcessPoolExecutor

from emotion_nas_tf.config import PARALLEL_BACKENDS
from emotion_nas_tf.worker_processes import Prepare, begin, deaths_explained
from tfrecords_builder.errors import UsageError

# (function, items) -> results
Map = Callable[[Callable, Iterable], Iterator]

# What must be installed, and how the project calls it.
_PACKAGES = {"ray": ("ray",), "dask": ("dask", "distributed")}
# Workers of a cluster, to joblib.
_ALL = -1
# Names of what this process was prepared by.
_PREPARED: set[str] = set()


def check_backend(name: str) -> None:
    """Raises an error when a backend is not there.

    Raises:
      UsageError: for an unknown one, or one whose package is not installed.
    """
    if name not in PARALLEL_BACKENDS:
        raise UsageError(
            f"--parallel_backend={name}: known are "
            f"{', '.join(PARALLEL_BACKENDS)}."
        )
    missing = [
        package
        for package in _PACKAGES.get(name, ())
        if importlib.util.find_spec(package) is None
    ]
    if missing:
        raise UsageError(
            f"--parallel_backend={name} needs {' and '.join(missing)}, not "
            f"installed here. `pip install 'emotion-nas-tf[{name}]'` (in a "
            f"checkout: `pip install '.[{name}]'`) installs it; the backend "
            "loky needs nothing."
        )


@contextlib.contextmanager
def parallel_workers(
    num_workers: int,
    backend: str = "loky",
    prepare: Prepare = lambda: None,
) -> Iterator[Map]:
    """Workers, for as long as the context lasts.

    Yields a function that maps a function over items and yields the results
    in the order in which they come. Function and items must pickle, except
    with `threading` and `sequential`, which stay in this process.

    Args:
      num_workers: at a time; 0 for as many as there are cores. A cluster that
        is there already, and `sequential`, have their own number.
      backend: of `PARALLEL_BACKENDS`.
      prepare: called once in every process that is not this one, before the
        first function.

    Raises:
      UsageError: as `check_backend`.
      WorkError: when a worker process was killed.
    """
    check_backend(backend)
    workers = num_workers or joblib.cpu_count()
    with (
        deaths_explained(
            f"{workers} candidates at a time",
            "Run the same command again, with a lower --candidate_workers if "
            "so.",
        ),
        contextlib.ExitStack() as stack,
    ):
        yield _SET_UP[backend](stack, workers, prepare)


def _by_joblib(workers: int, prepare: Prepare | None = None) -> Map:
    """joblib; `prepare` where processes cannot be given one at their start."""

    def parallel(function: Callable, items: Iterable) -> Iterator:
        if prepare:
            function = functools.partial(
                _prepared, os.getpid(), prepare, function
            )
        results = joblib.Parallel(
            n_jobs=workers,
            return_as="generator_unordered",
            # One at a time: each is noted as soon as it is done.
            batch_size=1,
        )(joblib.delayed(function)(item) for item in items)
        with contextlib.closing(results):
            yield from results

    return parallel


def _prepared(
    parent: int, prepare: Prepare, function: Callable, item: object
) -> object:
    if os.getpid() != parent and prepare.__qualname__ not in _PREPARED:
        prepare()
        _PREPARED.add(prepare.__qualname__)
    return function(item)


def _sequential(
    stack: contextlib.ExitStack, workers: int, prepare: Prepare
) -> Map:
    return map


def _threading(
    stack: contextlib.ExitStack, workers: int, prepare: Prepare
) -> Map:
    stack.enter_context(joblib.parallel_config("threading"))
    return _by_joblib(workers)


def _loky(stack: contextlib.ExitStack, workers: int, prepare: Prepare) -> Map:
    watch = {"initializer": begin, "initargs": (os.getpid(), prepare)}
    if workers == 1:
        # For one worker joblib would stay in this process, whose TensorFlow
        # may use all cores, which changes the last bits.
        pool = ProcessPoolExecutor(1, **watch)
        stack.callback(pool.shutdown, kill_workers=True)
        return lambda function, items: (
            pool.submit(function, item).result() for item in items
        )
    stack.enter_context(joblib.parallel_config("loky", **watch))
    return _by_joblib(workers)


def _ray(stack: contextlib.ExitStack, workers: int, prepare: Prepare) -> Map:
    # Ray would write a token into the home folder.
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    import ray
    from ray.util.joblib.ray_backend import RayBackend

    class UnorderedRay(RayBackend):
        """Results as they come: what Ray's pool can, and its parent not."""

        supports_return_generator = True

    joblib.register_parallel_backend("ray", UnorderedRay)
    if not ray.is_initialized():
        # RAY_ADDRESS names a cluster that is there already.
        local = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers}
        ray.init(log_to_driver=False, include_dashboard=False, **local)
        stack.callback(ray.shutdown)
    stack.enter_context(joblib.parallel_config("ray"))
    return _by_joblib(_ALL, prepare)


def _dask(stack: contextlib.ExitStack, workers: int, prepare: Prepare) -> Map:
    import dask
    from dask.distributed import Client

    # DASK_SCHEDULER_ADDRESS names a cluster that is there already.
    local = {"n_workers": workers, "threads_per_worker": 1}
    if dask.config.get("scheduler-address", None):
        local = {}
    stack.enter_context(Client(dashboard_address=None, **local))
    stack.enter_context(joblib.parallel_config("dask"))
    return _by_joblib(_ALL, prepare)


_SET_UP = {
    "sequential": _sequential,
    "threading": _threading,
    "loky": _loky,
    "ray": _ray,
    "dask": _dask,
}
