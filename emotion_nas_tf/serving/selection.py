"""Which tests are exported, and on which clips a model is checked."""

from pathlib import Path

import numpy as np

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import make_folds
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest

NUM_CLIPS = 8


def tests_of_fold(protocol: ProtocolConfig, number: int) -> list[FoldDirectory]:
    """The tests of a fold that the run holds, of those asked for.

    Raises:
      UsageError: when the run holds none.
    """
    run = RunDirectory(protocol.run_dir)
    tests = [test for test in run.tests() if test.fold == number]
    if tests and protocol.test_speaker != "both":
        # Who is first only the records know.
        folds = make_folds(
            load_manifest(protocol.records_dir),
            number,
            protocol.test_speaker,
            allow_missing_classes=True,
        )
        speakers = {fold.test_speaker for fold in folds}
        tests = [test for test in tests if test.test_speaker in speakers]
    if not tests:
        raise UsageError(
            f"The run {run.path} holds no such test of fold {number}. `python "
            f"-m emotion_nas_tf.run --run_dir={run.path} --fold={number}` "
            "makes it."
        )
    return tests


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
