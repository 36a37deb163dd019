"""What is exported, of which tests, and on which clips it is checked.

Pure: no TensorFlow.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import make_folds
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import (
    RECURRENT,
    SPECTROGRAM,
    STREAMS,
    systems_of,
)
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest

NUM_CLIPS = 8

# Those of both streams.
FUSIONS = ("fusion", "fusion_mean", "fusion_product")
EXPORTABLE = (
    *(name for stream in STREAMS for name in systems_of(stream)),
    *FUSIONS,
)
# Each stream's result.
RESULTS = {SPECTROGRAM: "retrained", RECURRENT: "recipe"}
# A test's result: of these, the first that is there.
PREFERRED = ("fusion", *RESULTS.values())


@dataclass(frozen=True)
class Clips:
    """The recordings on which an export is checked.

    Attributes:
      paths: audio files; none to check on generated waveforms.
      why_none: why there are none.
    """

    paths: tuple[Path, ...] = ()
    why_none: str = "no recording was named"


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


def clips_of_test(records_dir: Path, directory: FoldDirectory) -> Clips:
    """Up to `NUM_CLIPS` recordings of the test speaker that are still there.

    They are spread over the speaker's utterances. None when there is no
    folder `records_dir`, or the files are gone.

    Raises:
      UsageError: when the folder does not hold whole records.
    """
    if not Path(records_dir).is_dir():
        return Clips(why_none=f"there is no folder of records {records_dir}")
    speaker = directory.test_speaker
    paths = tuple(
        Path(entry.path)
        for entry in load_manifest(records_dir).entries
        if entry.speaker == speaker
    )
    if not paths:
        return Clips(
            why_none=f"the records in {records_dir} have no speaker {speaker}"
        )
    there = tuple(path for path in paths if path.is_file())
    if not there:
        return Clips(
            why_none=f"the recordings of speaker {speaker} are gone, e.g. "
            f"{paths[0]}"
        )
    step = max(1, len(there) // NUM_CLIPS)
    return Clips(there[::step][:NUM_CLIPS])


def check_system(system: str) -> None:
    """Refuses what cannot be exported, before TensorFlow is loaded.

    Raises:
      UsageError: when `system` is neither a network nor a fusion.
    """
    if system not in EXPORTABLE:
        raise UsageError(
            f"--system={system}: it cannot be exported; "
            f"{', '.join(EXPORTABLE)} can."
        )


def system_to_export(directory: FoldDirectory) -> str:
    """The result of a test: of those in `PREFERRED`, the first that is there.

    Raises:
      UsageError: when none is.
    """
    for system in PREFERRED:
        if directory.info(system).is_file():
            return system
    raise UsageError(
        f"{directory.path} holds none of {', '.join(PREFERRED)}: nothing has "
        "been trained to its end. `python -m emotion_nas_tf.run` goes on."
    )


def encoder_is_at_hand(
    sequence: SequenceConfig | None, checkpoint: Path | None
) -> bool:
    """Whether the recurrent stream's encoder can be part of a model.

    Frames of the front end can, wav2vec with its checkpoint, and encoders that
    run on PyTorch cannot.
    """
    if sequence is None or sequence.features == "transformers":
        return False
    return sequence.features != "wav2vec" or checkpoint is not None


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
