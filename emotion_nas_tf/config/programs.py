"""What the programs are asked to do."""

from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.config.networks import NetworkConfig, RecurrentConfig
from emotion_nas_tf.config.recurrent import (
    CandidateSearchConfig,
    RecurrentTrainConfig,
)
from emotion_nas_tf.config.training import DerivedTrainConfig, SearchConfig

FUSION_DATA = ("training", "validation", "cross_fitted")
FUSION_ACTIVATIONS = ("tanh", "relu")
REPORT_FORMATS = ("text", "markdown")


@dataclass(frozen=True)
class ProtocolConfig:
    """On what, and into which folder (paper, section 3.1).

    Attributes:
      records_dir: records built by `tfrecords_builder.build`.
      run_dir: the run's folder.
      folds: fold numbers; fold k holds out the k-th session. None for all
        that can be tested.
      test_speaker: `first`, `second` or `both` of the held-out session's
        speakers test in turn; the other one validates.
      allow_missing_classes: accept a validation or test speaker who lacks a
        class.
    """

    records_dir: Path
    run_dir: Path
    folds: tuple[int, ...] | None
    test_speaker: str = "both"
    allow_missing_classes: bool = False


@dataclass(frozen=True)
class FusionConfig:
    """How the streams are joined (paper, section 3.3).

    The paper gives the layers, Adam, its rate and the epochs; the rest it does
    not say.

    Attributes:
      fused: systems whose probabilities are joined, of streams each.
      data: whose probabilities the perceptron is fitted on: the `training`
        speakers', which are surer than of a new speaker, because the streams
        were trained on them, but are many, while the validation speaker
        chooses the epoch; the `validation` speaker's; or those of the training
        speakers by streams trained without them (`cross_fitted`, Wolpert's
        stacking), which takes a training of each stream for each group of
        sessions. Never the test speaker's. The default was the best on EmoDB
        (RESULTS.md).
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
    data: str = "training"
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
class EnsembleConfig:
    """Which runs answer together, and where they are put.

    Attributes:
      run_dirs: folders of runs.
      run_dir: the ensemble's folder, a run of its own.
      systems: names from `systems.SYSTEMS`, none of them a fusion; empty for
        all that every run has.
    """

    run_dirs: tuple[Path, ...]
    run_dir: Path
    systems: tuple[str, ...] = ()


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
