"""How recurrent networks are trained and their cell is searched."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.config.values import CHANGES_NO_RESULT

# Of joblib; the last two with packages that are installed when wanted.
PARALLEL_BACKENDS = ("loky", "threading", "sequential", "ray", "dask")


@dataclass(frozen=True)
class CandidateSearchConfig:
    """How a recurrent cell is searched for.

    Candidates are trained for a few epochs; the best go on, for more: rung by
    rung (successive halving, Jamieson and Talwalkar 2016).

    Attributes:
      num_candidates: recipes in the first rung; LSTM, GRU and the vanilla
        network always, the others drawn from the pool.
      pool_size: recipes in the pool, at least: generated ones fill what
        built-in ones and files leave.
      recipe_files: files or folders whose recipes are all in the pool.
      rung_epochs: epochs, in all, that a candidate has been trained for at
        the end of each rung.
      eta: a rung's best 1 / eta go on, at least one.
      generations: further rounds, each of mutations of the best so far, which
        begin in the first rung; 0 for none.
      mutations: candidates of a generation.
      seed: of the generated recipes, the draw and the mutations.
      num_workers: candidates at a time; 0 for as many as there are cores.
      parallel_backend: joblib's: its own processes (`loky`), or another of
        `PARALLEL_BACKENDS`.
    """

    num_candidates: int = 24
    pool_size: int = 24
    # What is in them counts, not where they lie.
    recipe_files: tuple[Path, ...] = dataclasses.field(
        default=(), metadata=CHANGES_NO_RESULT
    )
    rung_epochs: tuple[int, ...] = (3, 9, 27)
    eta: int = 3
    generations: int = 0
    mutations: int = 9
    seed: int = 0
    num_workers: int = dataclasses.field(default=0, metadata=CHANGES_NO_RESULT)
    parallel_backend: str = dataclasses.field(
        default="loky", metadata=CHANGES_NO_RESULT
    )


@dataclass(frozen=True)
class RecurrentTrainConfig:
    """How recurrent networks are trained: Adam at one rate.

    The paper gives optimiser, rate and epochs (section 3.3), and no more.

    Attributes:
      epochs: passes over the training speakers.
      batch_size: utterances a step.
      learning_rate: of Adam.
      gradient_clip: greatest global norm of a gradient.
      dropout: share of an utterance's vector that is dropped before the
        classifier, in training.
      label_smoothing: as in `DerivedTrainConfig`.
      mixup: as there, except that utterances' vectors are mixed before the
        classifier (Verma et al., Manifold Mixup, ICML 2019): frames of
        different utterances have no common clock.
      weight_averaging: as there.
      frequency_mask: greatest width of SpecAugment's mask over the features
        of a frame; 0 for none.
      time_mask: the same over time, in frames.
      frequency_warp: as in `DerivedTrainConfig`.
      class_balance: as in `TrainConfig`.
      seed: of initial weights, order, masks, warps and dropout.
      deterministic: as in `TrainConfig`.
      checkpoint_minutes: as in `TrainConfig`.
    """

    epochs: int = 50
    batch_size: int = 16
    learning_rate: float = 1e-3
    gradient_clip: float = 5.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    weight_averaging: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    frequency_warp: float = 0.0
    class_balance: str = "weights"
    seed: int = 0
    deterministic: bool = False
    checkpoint_minutes: float = dataclasses.field(
        default=10.0, metadata=CHANGES_NO_RESULT
    )
