"""Flags of the search among recurrent cells."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import PARALLEL_BACKENDS, CandidateSearchConfig
from flags import seed_flags
from tfrecords_builder.errors import UsageError

_DEFAULTS = CandidateSearchConfig()

_NUM_CANDIDATES = flags.DEFINE_integer(
    "num_candidates",
    _DEFAULTS.num_candidates,
    "Recurrent cells that are trained: LSTM, GRU and the vanilla network "
    "always, others drawn from the pool.",
    lower_bound=3,
)
_POOL_SIZE = flags.DEFINE_integer(
    "pool_size",
    _DEFAULTS.pool_size,
    "Cells in the pool, at least: generated ones fill what built-in ones and "
    "--recipe_files leave.",
    lower_bound=0,
)
_RECIPE_FILES = flags.DEFINE_list(
    "recipe_files",
    [],
    "Files or folders with recipes, ours or NAS-Bench-NLP's, for the pool.",
)
_RUNG_EPOCHS = flags.DEFINE_list(
    "rung_epochs",
    [str(epochs) for epochs in _DEFAULTS.rung_epochs],
    "Epochs, in all, after which candidates are compared; the best go on.",
)
_ETA = flags.DEFINE_integer(
    "eta",
    _DEFAULTS.eta,
    "After each rung the best 1 / eta of the candidates go on.",
    lower_bound=2,
)
_GENERATIONS = flags.DEFINE_integer(
    "generations",
    _DEFAULTS.generations,
    "Further rounds, each of mutations of the best cell so far.",
    lower_bound=0,
)
_MUTATIONS = flags.DEFINE_integer(
    "mutations", _DEFAULTS.mutations, "Cells of a generation.", lower_bound=1
)
_CANDIDATE_WORKERS = flags.DEFINE_integer(
    "candidate_workers",
    _DEFAULTS.num_workers,
    "Candidates at a time, a thread each; 0: as many as there are cores.",
    lower_bound=0,
)
_PARALLEL_BACKEND = flags.DEFINE_enum(
    "parallel_backend",
    _DEFAULTS.parallel_backend,
    PARALLEL_BACKENDS,
    "Of joblib: own processes (loky), this process (threading, sequential; "
    "candidates then share its threads), or Ray or Dask, which are installed "
    "apart and join a cluster named by RAY_ADDRESS or DASK_SCHEDULER_ADDRESS.",
)


def candidate_search_config() -> CandidateSearchConfig:
    """What the flags ask for.

    Raises:
      UsageError: when --rung_epochs is not a list of numbers, or a flag would
        do nothing.
    """
    if flags.FLAGS[_MUTATIONS.name].present and not _GENERATIONS.value:
        raise UsageError(
            "--mutations does nothing without --generations: give it too, or "
            "leave it out."
        )
    try:
        rung_epochs = tuple(int(text) for text in _RUNG_EPOCHS.value)
    except ValueError:
        raise UsageError(
            "--rung_epochs must list numbers of epochs, e.g. 3,9,27. "
            f"Received: {','.join(_RUNG_EPOCHS.value)}"
        ) from None
    return CandidateSearchConfig(
        num_candidates=_NUM_CANDIDATES.value,
        pool_size=_POOL_SIZE.value,
        recipe_files=tuple(Path(name) for name in _RECIPE_FILES.value),
        rung_epochs=rung_epochs,
        eta=_ETA.value,
        generations=_GENERATIONS.value,
        mutations=_MUTATIONS.value,
        seed=seed_flags.SEED.value,
        num_workers=_CANDIDATE_WORKERS.value,
        parallel_backend=_PARALLEL_BACKEND.value,
    )
