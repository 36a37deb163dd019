"""Configuration of search and training: the paper's values as defaults.

Pure Python: imported by flags, tests and programs before TensorFlow is.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.systems import SPECTROGRAM, systems_of

CLASS_BALANCES = ("none", "weights", "sampling")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
ARCHITECTURE_SPLITS = ("validation", "train")
ORDERS = ("first", "second")
RELAXATIONS = ("softmax", "sigmoid", "gumbel")
DERIVATIONS = ("two_edges", "all_edges")
DISTRIBUTIONS = ("none", "auto")
REPORT_FORMATS = ("text", "markdown")
# Of joblib; the last two with packages that are installed when wanted.
PARALLEL_BACKENDS = ("loky", "threading", "sequential", "ray", "dask")
FUSION_DATA = ("training", "validation", "cross_fitted")
FUSION_ACTIVATIONS = ("tanh", "relu")

# Marks a field that a run may go on with another value of.
_CHANGES_NO_RESULT = {"changes_result": False}


@dataclass(frozen=True)
class ProtocolConfig:
    """On what, and into which folder (paper, section 3.1).

    Attributes:
      records_dir: records built by `tfrecords_builder.build`.
      run_dir: the run's folder.
      folds: fold numbers; fold k holds out the k-th session.
      test_speaker: `first`, `second` or `both` of the held-out session's
        speakers test in turn; the other one validates.
      allow_missing_classes: accept a validation or test speaker who lacks a
        class.
    """

    records_dir: Path
    run_dir: Path
    folds: tuple[int, ...]
    test_speaker: str = "both"
    allow_missing_classes: bool = False


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the spectrogram networks (paper, section 3.3).

    Attributes:
      num_cells: L.
      num_channels: C, of the first cell's nodes.
      num_nodes: N, intermediate nodes of a search cell.
      relaxation: how alpha becomes the search network's operation weights:
        `softmax` (the paper), `sigmoid` (Fair DARTS) or `gumbel` (GDAS).
      partial_channels: K: the search network mixes a K-th of every node's
        channels (PC-DARTS); 1 for all.
    """

    num_cells: int = 3
    num_channels: int = 6
    num_nodes: int = 4
    relaxation: str = "softmax"
    partial_channels: int = 1

    @property
    def systems(self) -> tuple[str, ...]:
        """Those of a test that are this large.

        With partial channels, none can inherit.
        """
        return tuple(
            name
            for name in systems_of(SPECTROGRAM)
            if name != "inherited" or self.partial_channels == 1
        )


@dataclass(frozen=True)
class RecurrentConfig:
    """Size of the recurrent networks (paper, Table 4).

    Attributes:
      num_layers: L.
      hidden_size: h.
      input_size: of a frame's features; 512 for wav2vec. Training takes it
        from the records.
      masked: compute and attend over real frames alone; otherwise over the
        padding to the corpus' longest utterance too, as the paper has it.
      standardize: shift and scale each feature to mean 0 and deviation 1 over
        the training speakers' frames; None where the features are log-mel.
    """

    num_layers: int = 2
    hidden_size: int = 256
    input_size: int = 512
    masked: bool = True
    standardize: bool | None = None


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
        default=10.0, metadata=_CHANGES_NO_RESULT
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
      mixup: alpha of mixup (Zhang et al. 2018): utterances are trained on in
        mixtures of two, in shares of Beta(alpha, alpha); 0 for none.
      weight_averaging: decay of the weights' exponential moving average,
        which is then what is validated and kept, below 1; 0 for none.
    """

    drop_path: float = 0.0
    label_smoothing: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    mixup: float = 0.0
    weight_averaging: float = 0.0


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
        default=(), metadata=_CHANGES_NO_RESULT
    )
    rung_epochs: tuple[int, ...] = (3, 9, 27)
    eta: int = 3
    generations: int = 0
    mutations: int = 9
    seed: int = 0
    num_workers: int = dataclasses.field(default=0, metadata=_CHANGES_NO_RESULT)
    parallel_backend: str = dataclasses.field(
        default="loky", metadata=_CHANGES_NO_RESULT
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
      class_balance: as in `TrainConfig`.
      seed: of initial weights, order and dropout.
      deterministic: as in `TrainConfig`.
      checkpoint_minutes: as in `TrainConfig`.
    """

    epochs: int = 50
    batch_size: int = 16
    learning_rate: float = 1e-3
    gradient_clip: float = 5.0
    dropout: float = 0.0
    class_balance: str = "weights"
    seed: int = 0
    deterministic: bool = False
    checkpoint_minutes: float = dataclasses.field(
        default=10.0, metadata=_CHANGES_NO_RESULT
    )


@dataclass(frozen=True)
class FusionConfig:
    """How the streams are joined (paper, section 3.3).

    The paper gives the layers, Adam, its rate and the epochs; the rest it does
    not say.

    Attributes:
      fused: systems whose probabilities are joined, of streams each.
      data: whose probabilities the perceptron is fitted on: the `training`
        speakers', which are far too sure, because the streams were trained on
        them; the `validation` speaker's; or those of the training speakers by
        streams trained without them (`cross_fitted`, Wolpert's stacking),
        which takes a training of each stream for each group of sessions.
        Never the test speaker's.
      epochs: of the perceptron.
      learning_rate: of Adam.
      batch_size: utterances a step; with a small batch, a hundred epochs of a
        few dozen utterances are steps enough.
      activation: between the layers.
      class_balance: `weights` or `none`, as in `TrainConfig`.
      groups: of training sessions that are left out in turn for
        `cross_fitted`; None for one a session.
      seed: of initial weights and of the order of the utterances.
      deterministic: as in `TrainConfig`.
    """

    fused: tuple[str, ...] = ("retrained", "recipe")
    data: str = "validation"
    epochs: int = 100
    learning_rate: float = 1e-3
    batch_size: int = 1
    activation: str = "tanh"
    class_balance: str = "weights"
    groups: int | None = None
    seed: int = 0
    deterministic: bool = False


@dataclass(frozen=True)
class RunConfig:
    """All settings of the whole procedure.

    Attributes:
      streams: of `systems.STREAMS`; the fusion needs both.
      network: size of the spectrogram networks.
      search: how their cells are searched.
      train: how derived networks are trained.
      recurrent: size of the recurrent networks.
      candidates: how a recurrent cell is searched.
      recurrent_train: how recurrent networks are trained.
      fusion: how the streams are joined.
      comparators: systems to compare with, that need no search.
    """

    streams: tuple[str, ...]
    network: NetworkConfig
    search: SearchConfig
    train: DerivedTrainConfig
    recurrent: RecurrentConfig
    candidates: CandidateSearchConfig
    recurrent_train: RecurrentTrainConfig
    fusion: FusionConfig
    comparators: tuple[str, ...] = ("majority", "cnn")


@dataclass(frozen=True)
class EvaluateConfig:
    """Which networks are tested.

    Attributes:
      systems: names from `systems.SYSTEMS`; empty for all that exist.
    """

    systems: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompareConfig:
    """Which runs are compared, and where to.

    Attributes:
      run_dirs: folders of runs.
      output: a JSON file; None for none.
    """

    run_dirs: tuple[Path, ...]
    output: Path | None = None


@dataclass(frozen=True)
class ExportConfig:
    """Which system is exported, and where to.

    Attributes:
      system: a network of one of the streams, or a fusion; None for the best
        there is.
      output: the SavedModel's folder; None for `model` in the test's folder.
      clips: audio files to compare the reloaded model on; empty for the test
        speaker's recordings.
      serving_dir: folder of models for TensorFlow Serving, instead of
        `output`: the SavedModel goes to `serving_dir/model_name/version`.
      model_name: see `serving_dir`.
      version: see `serving_dir`; None for one more than the latest.
      wav2vec_checkpoint: of the encoder, where a network hears wav2vec.
    """

    system: str | None = None
    output: Path | None = None
    clips: tuple[Path, ...] = ()
    serving_dir: Path | None = None
    model_name: str = "emotion"
    version: int | None = None
    wav2vec_checkpoint: Path | None = None


@dataclass(frozen=True)
class PredictConfig:
    """What predicts, and how it answers.

    Attributes:
      model: the SavedModel's folder.
      json: print a JSON object a file instead of a line of text.
      output: CSV file for the answers; None to print them.
      batch_size: utterances computed together.
    """

    model: Path
    json: bool = False
    output: Path | None = None
    batch_size: int = 16


@dataclass(frozen=True)
class ReportConfig:
    """What to report of a run.

    Attributes:
      run_dir: the run's folder.
      records_dir: the run's records, for the data audit and the clips; the
        report does without where they are not there.
      table_runs: runs whose numbers the tables show; may be empty.
      page: write `report.html`.
      tables: print the paper's tables.
      figures: draw the paper's figures.
      tensorboard: write event files of the tests.
      table_format: one of `REPORT_FORMATS`.
    """

    run_dir: Path
    records_dir: Path
    table_runs: tuple[Path, ...] = ()
    page: bool = True
    tables: bool = False
    figures: bool = False
    tensorboard: bool = False
    table_format: str = "text"


def as_json(config: object) -> dict:
    """A configuration as plain JSON values: what decides the result."""
    return {
        field.name: str(value) if isinstance(value, Path) else value
        for field in dataclasses.fields(config)
        if field.metadata.get("changes_result", True)
        for value in [getattr(config, field.name)]
    }
