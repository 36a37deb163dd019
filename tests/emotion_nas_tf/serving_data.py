"""What the tests of serving share, imported by name."""

from types import SimpleNamespace

import numpy as np

from tfrecords_builder.config import spectrogram_preset

LABELS = ("neutral", "wütend", "sad")
RATE = 16_000


def voice(seconds, pitch=150.0, rate=RATE):
    """A tone with overtones, (samples,) float32."""
    time = np.arange(round(seconds * rate)) / rate
    waves = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3))
    return (0.2 * waves).astype(np.float32)


def spectrogram_info(network, genotype=None):
    """What `networks.system.load_system` says of a trained network."""
    spectrogram = spectrogram_preset()
    return SimpleNamespace(
        system="retrained",
        label_names=LABELS,
        spectrogram=spectrogram,
        fingerprint=spectrogram.fingerprint(),
        genotype=genotype,
        validation_ua=0.5,
        parameters=network.count_params(),
    )
