"""On which clips an exported model is compared with the trained network."""

from pathlib import Path

import numpy as np

from emotion_nas_tf.run_directory import FoldDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest

NUM_CLIPS = 8


def clips_of_test(records_dir: Path, directory: FoldDirectory) -> list[Path]:
    """Up to `NUM_CLIPS` recordings of the test speaker that are still there.

    They are spread over the speaker's utterances. Empty when there are no
    records or the files are gone.
    """
    try:
        manifest = load_manifest(records_dir)
    except UsageError:
        return []
    paths = [
        Path(entry.path)
        for entry in manifest.entries
        if entry.speaker == directory.test_speaker
        and Path(entry.path).is_file()
    ]
    step = max(1, len(paths) // NUM_CLIPS)
    return paths[::step][:NUM_CLIPS]


def generated_waveforms(
    num_waveforms: int, sample_rate_hz: int
) -> list[np.ndarray]:
    """Voice-like tones in noise, of different lengths, always the same.

    For the check after an export where no recording is at hand.

    Returns:
      (samples,) float32 waveforms in [-1, 1], 0.5 s long and longer.
    """
    generator = np.random.default_rng(0)
    waveforms = []
    for index in range(num_waveforms):
        seconds = 0.5 + 1.3 * index
        time = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
        pitch = generator.uniform(90, 300)
        harmonics = sum(
            np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 12)
        )
        noise = generator.normal(size=len(time))
        waveforms.append(
            (0.15 * harmonics + 0.01 * noise).clip(-1, 1).astype(np.float32)
        )
    return waveforms
