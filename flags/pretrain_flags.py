"""Flags of `tfrecords_builder.pretrain_wav2vec`."""

from pathlib import Path

from absl import flags

from flags import seed_flags
from flags.positive import define_positive
from tfrecords_builder.config import PretrainConfig

_DEFAULT = PretrainConfig(Path(), Path())

_AUDIO_DIR = flags.DEFINE_string(
    "audio_dir",
    None,
    "Speech without labels: every audio file in this folder and below.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "wav2vec", "Where checkpoint, state and events go."
)
_CHANNELS = flags.DEFINE_integer(
    "channels",
    _DEFAULT.channels,
    "Width of wav2vec-large's layers; the published one has 512.",
    lower_bound=1,
)
_ENCODER_LAYERS = flags.DEFINE_string(
    "encoder_layers",
    "",
    "Other layers than wav2vec-large's, (channels, kernel, stride): "
    '"[(64, 10, 5)] + [(64, 4, 2)] * 3".',
)
_AGGREGATOR_LAYERS = flags.DEFINE_string(
    "aggregator_layers", "", "The same for the aggregator."
)
_PREDICTION_STEPS = flags.DEFINE_integer(
    "prediction_steps",
    _DEFAULT.prediction_steps,
    "Frames ahead that are predicted.",
    lower_bound=1,
)
_NUM_NEGATIVES = flags.DEFINE_integer(
    "num_negatives",
    _DEFAULT.num_negatives,
    "Other frames from which the true one must be told.",
    lower_bound=1,
)
_STEPS = flags.DEFINE_integer(
    "steps", _DEFAULT.steps, "Batches.", lower_bound=1
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", _DEFAULT.batch_size, "Crops of a batch.", lower_bound=1
)
_CROP_SAMPLES = flags.DEFINE_integer(
    "crop_samples",
    _DEFAULT.crop_samples,
    "The longest crop, at 16 kHz.",
    lower_bound=1,
)
_LEARNING_RATE = define_positive(
    "learning_rate",
    _DEFAULT.learning_rate,
    "Adam's, after the warm-up; a cosine ends it.",
)
_WARMUP_STEPS = flags.DEFINE_integer(
    "warmup_steps",
    _DEFAULT.warmup_steps,
    "Steps in which the rate rises.",
    lower_bound=0,
)
_STEPS_PER_SAVE = flags.DEFINE_integer(
    "steps_per_save",
    _DEFAULT.steps_per_save,
    "Steps between two saved states.",
    lower_bound=1,
)


def pretrain_config() -> PretrainConfig:
    """The flags as a configuration."""
    return PretrainConfig(
        audio_dir=Path(_AUDIO_DIR.value),
        output_dir=Path(_OUTPUT_DIR.value),
        channels=_CHANNELS.value,
        encoder_layers=_ENCODER_LAYERS.value,
        aggregator_layers=_AGGREGATOR_LAYERS.value,
        prediction_steps=_PREDICTION_STEPS.value,
        num_negatives=_NUM_NEGATIVES.value,
        steps=_STEPS.value,
        batch_size=_BATCH_SIZE.value,
        crop_samples=_CROP_SAMPLES.value,
        learning_rate=_LEARNING_RATE.value,
        warmup_steps=_WARMUP_STEPS.value,
        steps_per_save=_STEPS_PER_SAVE.value,
        seed=seed_flags.SEED.value,
    )
