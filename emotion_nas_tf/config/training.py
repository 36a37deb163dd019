"""How networks are trained and searched: the paper's values as defaults."""

import dataclasses
from dataclasses import dataclass

from emotion_nas_tf.config.values import CHANGES_NO_RESULT

CLASS_BALANCES = ("none", "weights", "sampling")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
ARCHITECTURE_SPLITS = ("validation", "train")
ORDERS = ("first", "second")
DERIVATIONS = ("two_edges", "all_edges")
DISTRIBUTIONS = ("none", "auto")


@dataclass(frozen=True)
class TrainConfig:
    """How weights are trained, in the search and afterwards.

    The paper gives optimiser, rate, momentum, decay and epochs; batch size,
    schedule and clip are the published DARTS code's, except that its batch of
    64 is 16 here, for small corpora and small memories.

    Attributes:
      epochs: passes over the training speakers.
      batch_size: utterances a step.
      learning_rate: of SGD in epoch 0.
      final_learning_rate: where its cosine ends.
      momentum: of SGD.
      weight_decay: added to the gradient.
      gradient_clip: greatest global norm of a gradient.
      class_balance: `weights` (an utterance's loss weighs n / (K * n_c),
        counted over the training speakers; in the search, alpha's too),
        `sampling` (every class is drawn equally often) or `none`.
      seed: of initial weights and of the order of the utterances.
      precision: of activations and convolutions in training; weights,
        statistics, alpha and the loss are always in `float32`.
        `mixed_bfloat16` or `mixed_float16` for machines that are quicker with
        half the bits, as GPUs are. What is tested and exported is the float32
        weights in a float32 network.
      deterministic: two runs on one machine end with the same bits.
      checkpoint_minutes: greatest time between two states kept inside an
        epoch; one is kept at the end of every epoch besides. May differ when
        a run goes on.
    """

    epochs: int = 50
    batch_size: int = 16
    learning_rate: float = 0.025
    final_learning_rate: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    gradient_clip: float = 5.0
    class_balance: str = "weights"
    precision: str = "float32"
    seed: int = 0
    deterministic: bool = False
    checkpoint_minutes: float = dataclasses.field(
        default=10.0, metadata=CHANGES_NO_RESULT
    )


@dataclass(frozen=True)
class SearchConfig(TrainConfig):
    """How the search is run: the weights as above, and alpha.

    Attributes:
      architecture_learning_rate: of Adam.
      architecture_weight_decay: added to alpha's gradient.
      architecture_split: whose utterances move alpha: the `validation`
        speaker's, as in the paper, or one half of the `train` speakers'
        (every class halved), the other half then moving the weights.
      order: of the approximation of alpha's gradient (DARTS, section 2.3):
        `first` at the present weights, `second` at those of the next step;
        the paper does not say which it used.
      derivation: what is kept of the search network at the end: per node the
        `two_edges` with the strongest operations, as published DARTS does, or
        the strongest operation on each of `all_edges` (Figure 2, to the
        letter), which is no edge where that is `none`.
      micro_batches: equal parts of a batch that are in memory one at a time.
        Batch normalisation sees a part at a time; all else is as with one.
      recompute: calculate the values inside cells again for the gradient,
        instead of keeping them: less memory, more time.
      distribute: `auto` shares every batch among all visible GPUs; as with
        micro-batches, each normalises its share by itself. `none` uses one,
        so that results do not depend on how many a machine has.
      jit_compile: compile the step by XLA. On a CPU it makes it slower.
      watch_hessian: after every epoch, the dominant eigenvalue of the Hessian
        of the validation loss in alpha.
      architecture_warm_up_epochs: epochs at the start that move the weights
        alone.
      max_skip_connections: of the derived normal cell (P-DARTS); None for any
        number.
      early_stop_skips: the search stops after an epoch whose normal cell
        holds so many skip connections (DARTS+ has 2); 0 for never.
      beta_decay: weight, in the last epoch, of the mean log-sum-exp of alpha
        in its loss (beta-DARTS).
      zero_one_weight: of the loss that drives sigmoids to 0 or 1 (Fair
        DARTS); for the relaxation `sigmoid` alone.
    """

    architecture_learning_rate: float = 3e-4
    architecture_weight_decay: float = 1e-3
    architecture_split: str = "validation"
    order: str = "first"
    derivation: str = "two_edges"
    micro_batches: int = 1
    recompute: bool = False
    distribute: str = "none"
    jit_compile: bool = False
    watch_hessian: bool = False
    architecture_warm_up_epochs: int = 0
    max_skip_connections: int | None = None
    early_stop_skips: int = 0
    beta_decay: float = 0.0
    zero_one_weight: float = 10.0


@dataclass(frozen=True)
class DerivedTrainConfig(TrainConfig):
    """How derived networks are trained: as above, and against overfitting.

    `retrained` and `random_cell` are trained alike.

    Attributes:
      drop_path: what the probability that an edge is dropped for an utterance
        grows to, linearly over the epochs; 0 drops none.
      label_smoothing: share of the target that all classes divide.
      frequency_mask: greatest width of SpecAugment's mask over frequency, in
        features; 0 for none.
      time_mask: the same over time, in columns.
      frequency_warp: utterances' spectra are stretched along frequency by up
        to this share (vocal tract length perturbation); 0 for none.
      mixup: alpha of mixup (Zhang et al. 2018): utterances are trained on in
        mixtures of two, in shares of Beta(alpha, alpha); 0 for none.
      weight_averaging: decay of the weights' exponential moving average,
        which is then what is validated and kept, below 1; 0 for none.
    """

    drop_path: float = 0.0
    label_smoothing: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    frequency_warp: float = 0.0
    mixup: float = 0.0
    weight_averaging: float = 0.0
