"""Configuration of the record builder: the paper's values as defaults.

Pure Python: imported by flags, tests and programs before TensorFlow is.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

# Raised when the same configuration starts to give other numbers.
FRONT_END_VERSION = 1

GEOMETRIES = ("paper", "dft278")
SCALES = ("log_mel", "log_magnitude", "magnitude")
COMPRESSIONS = ("none", "gzip")

# Raised when the same sequence features get other numbers.
SEQUENCE_VERSION = 1
SEQUENCE_FEATURES = ("wav2vec", "logmel", "transformers")

# Downloads, and features by the content of the audio.
CACHE_DIR = Path("~/.cache/emotion-nas")


@dataclass(frozen=True)
class SpectrogramConfig:
    """The spectrogram front end (paper, section 3.2). 140 x 140 out.

    Attributes:
      geometry: how the preset is called; the numbers below decide.
      scale: `log_mel` (mel filter bank on power, decibels), `log_magnitude`
        (linear frequency, decibels) or `magnitude` (linear frequency,
        linear amplitude, as the paper's words read).
      sample_rate_hz: rate of the waveform.
      duration_seconds: longer clips are cut, shorter ones zero-padded.
      window_samples: length of the Hamming window.
      hop_samples: distance of two windows.
      dft_samples: DFT length; a window shorter than this is zero-padded.
      num_features: height of the result, lowest frequency first.
      pool_frames: frames averaged into one column, without overlap.
      num_columns: width of the result; columns beyond it are dropped.
      floor_db: decibels at and below which a log feature is 0, so that
        zero-padding is 0 in the features too. Unused by `magnitude`.
    """

    geometry: str
    scale: str
    window_samples: int
    hop_samples: int
    dft_samples: int
    pool_frames: int
    sample_rate_hz: int = 16_000
    duration_seconds: float = 8.0
    num_features: int = 140
    num_columns: int = 140
    floor_db: float = -60.0

    @property
    def num_samples(self) -> int:
        """Samples of the clip after cutting or padding: 128,000 at 8 s."""
        return round(self.sample_rate_hz * self.duration_seconds)

    @property
    def num_frames(self) -> int:
        """Frames that enter the pooling."""
        return self.num_columns * self.pool_frames

    @property
    def output_shape(self) -> tuple[int, int]:
        """(num_features, num_columns): frequency first."""
        return (self.num_features, self.num_columns)

    def fingerprint(self) -> str:
        """Hex digest that records and models carry: equal, equal features."""
        return fingerprint({"spectrogram": dataclasses.asdict(self)})


def spectrogram_preset(
    geometry: str = "dft278", scale: str = "magnitude"
) -> SpectrogramConfig:
    """The two readings of section 3.2, at any scale.

    `paper`: 25 ms windows, 11 ms apart. 8 s give 726 frames, no multiple of
    140; they are pooled by 5 and the first 140 columns are kept (7.7 s).
    `dft278`: windows and DFT of 278 samples, 229 apart, as a public code base
    attributes to the first author: 140 bins; 560 frames (the clip is padded
    by 289 samples for the last one), pooled by 4.

    The default measured best of the six on EmoDB: a plain convolutional
    network on speakers it never heard, `python -m benchmarks.front_end`; the
    figures are in README.md.

    Raises:
      ValueError: for an unknown geometry or scale.
    """
    if geometry not in GEOMETRIES:
        raise ValueError(
            f"geometry must be one of {GEOMETRIES}. Received: {geometry!r}"
        )
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {SCALES}. Received: {scale!r}")
    window, hop, pool = (400, 176, 5) if geometry == "paper" else (278, 229, 4)
    # 140 mel bands are as narrow as 43 Hz: a DFT of the window's own length
    # would leave some of them without a bin.
    dft = 1024 if scale == "log_mel" else window
    return SpectrogramConfig(
        geometry=geometry,
        scale=scale,
        window_samples=window,
        hop_samples=hop,
        dft_samples=dft,
        pool_frames=pool,
    )


def fingerprint(settings: dict) -> str:
    """SHA-256 (hex) of settings and the front end's version."""
    text = json.dumps(
        {"front_end_version": FRONT_END_VERSION, **settings}, sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class SequenceConfig:
    """Features over time of the second stream (paper, section 3.2).

    Each utterance is encoded unpadded, zero-padded to the longest and
    averaged in groups of frames: with wav2vec and IEMOCAP, 2,911 frames
    become 727 of 512 channels.

    Attributes:
      features: one of `SEQUENCE_FEATURES`; what results call them.
      encoder: name of the encoder's file or model, for people.
      encoder_sha256: hex digest of the encoder's weights.
      output: of wav2vec `c` or `z`; of `transformers` a layer's number,
        `last` or `mean`.
      size: channels.
      pool_frames: frames averaged into one.
      max_frames: longest utterance in frames before averaging, others are
        cut; 0 for the longest of the corpus.
      num_frames: averaged frames of a record with its padding; 0 while the
        longest utterance is not known.
      version: `SEQUENCE_VERSION` of the program that made them.
    """

    features: str
    encoder: str
    encoder_sha256: str
    output: str
    size: int
    pool_frames: int
    max_frames: int = 0
    num_frames: int = 0
    version: int = SEQUENCE_VERSION

    @property
    def output_shape(self) -> tuple[int, int]:
        """(num_frames, size)."""
        return (self.num_frames, self.size)

    @property
    def title(self) -> str:
        """For tables and reports: features, encoder and output."""
        parts = (self.features, self.encoder, self.output)
        return " ".join(part for part in parts if part)

    def fingerprint(self) -> str:
        """Hex digest of all that decides a frame's numbers.

        Neither the encoder's name nor how far records are padded.
        """
        fields = dataclasses.asdict(self)
        for name in ("encoder", "max_frames", "num_frames"):
            del fields[name]
        return fingerprint({"sequence": fields})


@dataclass(frozen=True)
class SequenceRequest:
    """Which sequence features to make, and with what.

    Attributes:
      features: one of `SEQUENCE_FEATURES`.
      encoder: wav2vec's checkpoint file, or the name or folder of a model of
        `transformers`.
      output: see `SequenceConfig`; empty for `c` or `last`.
      pool_frames: see `SequenceConfig`; 0 for as many as make 40 ms.
      max_frames: see `SequenceConfig`.
      download: fetch wav2vec-large.
      cache_dir: keeps downloads and features.
    """

    features: str
    encoder: str = ""
    output: str = ""
    pool_frames: int = 0
    max_frames: int = 0
    download: bool = False
    cache_dir: Path = CACHE_DIR


@dataclass(frozen=True)
class BuildConfig:
    """One build of records.

    Attributes:
      corpus: a name in `tfrecords_builder.corpora.CORPORA`.
      corpus_dir: where the corpus is; for `synthetic`, where it is written;
        for `manifest`, the CSV file or a folder holding `manifest.csv`.
      records_dir: where shards and `manifest.json` go.
      spectrogram: the front end.
      sequence: features over time beside the spectrogram; None for none.
      emotions: labels to keep, in class order; empty for the corpus' default.
      iemocap_scripts: use scripted dialogs too.
      merge_excited: count IEMOCAP's `exc` as happy.
      strict: refuse a corpus with a broken file instead of skipping it.
      overwrite: replace records of another build in `records_dir`.
      num_workers: processes; 0 means as many as are worth their start.
      utterances_per_shard: size of a shard.
      compression: `none` or `gzip`.
      seed: seed of the synthetic corpus.
      synthetic_utterances: utterances per speaker and emotion of the
        synthetic corpus.
    """

    corpus: str
    corpus_dir: Path
    records_dir: Path
    spectrogram: SpectrogramConfig = dataclasses.field(
        default_factory=spectrogram_preset
    )
    sequence: SequenceRequest | None = None
    emotions: tuple[str, ...] = ()
    iemocap_scripts: bool = False
    merge_excited: bool = False
    strict: bool = False
    overwrite: bool = False
    num_workers: int = 0
    utterances_per_shard: int = 64
    compression: str = "none"
    seed: int = 0
    synthetic_utterances: int = 8


@dataclass(frozen=True)
class PretrainConfig:
    """Pretraining of a wav2vec (Schneider et al. 2019, sections 2 and 3).

    Schedule, crops and negatives are the published ones; width, steps and
    batch are for one machine and a few hours of audio.

    Attributes:
      audio_dir: speech without labels.
      output_dir: checkpoint, state, history and TensorBoard's events.
      channels: width of wav2vec-large's layers; 512 in the published one.
      encoder_layers: other layers, as `parse_layers` reads them.
      aggregator_layers: the same for the aggregator.
      prediction_steps: frames ahead that are predicted.
      num_negatives: for every frame, from the same utterance.
      steps: batches.
      batch_size: crops of a batch.
      crop_samples: the longest crop, at 16 kHz.
      learning_rate: of Adam after the warm-up; a cosine ends it.
      warmup_steps: steps in which the rate rises.
      steps_per_save: steps between two saved states.
      seed: of initial weights, crops and negatives.
    """

    audio_dir: Path
    output_dir: Path
    channels: int = 64
    encoder_layers: str = ""
    aggregator_layers: str = ""
    prediction_steps: int = 12
    num_negatives: int = 10
    steps: int = 10_000
    batch_size: int = 4
    crop_samples: int = 150_000
    learning_rate: float = 0.005
    warmup_steps: int = 500
    steps_per_save: int = 100
    seed: int = 0
