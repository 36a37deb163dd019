"""Spectra are stretched along frequency, as if other throats had spoken.

Vocal tract length perturbation (Jaitly and Hinton, ICML workshop 2013), of
features instead of waveforms: where few speakers train, it is as if there were
more. Training alone sees warped features. The factor is one of the axis: of mel
bands it is one in mels, which above 1 kHz is more in Hz.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emotion_nas_tf.data.batches import WARP_STREAM


@dataclass(frozen=True)
class FrequencyWarp:
    """Each utterance's spectra by a factor of its own, the same at all times.

    Attributes:
      greatest: factors are drawn evenly from 1 - greatest to 1 + greatest.
      seed: of the training.
      axis: of the features, in a batch.
    """

    greatest: float
    seed: int
    axis: int

    def of_epoch(self, epoch: int) -> Callable[..., np.ndarray]:
        """What warps the batches of an epoch, one after the other.

        Draws are a pure function of seed and epoch, and of the batches' order.

        Args:
          epoch: from 0.

        Returns:
          A function from a batch to the same, warped. Of further arguments it
          makes no use.
        """
        generator = np.random.default_rng([self.seed, epoch, WARP_STREAM])

        def change(features: np.ndarray, *_) -> np.ndarray:
            factors = 1 + generator.uniform(
                -self.greatest, self.greatest, len(features)
            )
            return warp_frequencies(features, factors, self.axis)

        return change


def warp_frequencies(
    features: np.ndarray, factors: np.ndarray, axis: int
) -> np.ndarray:
    """Reads each utterance's spectra at frequencies times its factor.

    Between two features linearly; beyond the last one it stays.

    Args:
      features: (batch, ...), frequencies from low to high along `axis`.
      factors: (batch,) greater than 0; 1 changes nothing.
      axis: of the features, at least 1.

    Returns:
      As `features`.
    """
    spectra = np.moveaxis(features, axis, 1)
    last = spectra.shape[1] - 1
    positions = np.minimum(np.arange(last + 1) * factors[:, None], last)
    below = positions.astype(int)
    rows = np.arange(len(spectra))[:, None]
    share = (positions - below).astype(features.dtype)
    share = share.reshape(*share.shape, *[1] * (spectra.ndim - 2))
    warped = (1 - share) * spectra[rows, below]
    warped += share * spectra[rows, np.minimum(below + 1, last)]
    return np.moveaxis(warped, 1, axis)
