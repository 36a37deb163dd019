"""Flags of what training changes about utterances, for either stream."""

import importlib.util

from absl import flags

from emotion_nas_tf.config import DerivedTrainConfig, RecurrentTrainConfig
from tfrecords_builder.errors import UsageError

# The flags belong to the stream's module, not to this one.
flags.disclaim_key_flags()


class AugmentationFlags:
    """The three flags of one stream's training.

    Args:
      prefix: of their names.
      defaults: their values.
      features: what a mask over frequency is counted in.
      frames: the same over time.
      greatest_masks: over frequency and time; None where records decide.
    """

    def __init__(
        self,
        prefix: str,
        defaults: DerivedTrainConfig | RecurrentTrainConfig,
        features: str,
        frames: str,
        greatest_masks: tuple[int, int] | tuple[None, None] = (None, None),
    ):
        self._prefix = prefix
        self._frequency_mask = flags.DEFINE_integer(
            f"{prefix}frequency_mask",
            defaults.frequency_mask,
            "SpecAugment: greatest width of a mask over frequency, in "
            f"{features}; 0 for none.",
            lower_bound=0,
            upper_bound=greatest_masks[0],
        )
        self._time_mask = flags.DEFINE_integer(
            f"{prefix}time_mask",
            defaults.time_mask,
            "SpecAugment: greatest width of a mask over time, in "
            f"{frames}; 0 for none.",
            lower_bound=0,
            upper_bound=greatest_masks[1],
        )
        self._frequency_warp = flags.DEFINE_float(
            f"{prefix}frequency_warp",
            defaults.frequency_warp,
            "Stretch every utterance's spectra along their axis of frequency "
            "by up to this share, much as another length of the vocal tract "
            "would; 0.1 makes new speakers, 0 none.",
            lower_bound=0.0,
            upper_bound=0.5,
        )

    def settings(self) -> dict[str, int | float]:
        """The values, as the configurations name them.

        Raises:
          UsageError: for masks without the package that draws them.
        """
        masks = self._frequency_mask.value or self._time_mask.value
        if masks and importlib.util.find_spec("tensorflow_io") is None:
            raise UsageError(
                f"--{self._prefix}frequency_mask and --{self._prefix}time_mask "
                "need the package tensorflow-io, which is not installed. `pip "
                "install tensorflow-io` brings it; without the two flags "
                "nothing needs it."
            )
        return {
            "frequency_mask": self._frequency_mask.value,
            "time_mask": self._time_mask.value,
            "frequency_warp": self._frequency_warp.value,
        }
