"""What is exported, of which tests, and on which clips it is checked.

Pure: no TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import make_folds
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import (
    PREFERRED,
    RECURRENT,
    SPECTROGRAM,
    STREAMS,
    systems_of,
)
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json
from tfrecords_builder.records import load_manifest
from tfrecords_builder.utterance import natural_key

NUM_CLIPS = 8

# Those of both streams.
FUSIONS = ("fusion", "fusion_mean", "fusion_product")
EXPORTABLE = (
    *(name for stream in STREAMS for name in systems_of(stream)),
    *FUSIONS,
)
# Each stream's result.
RESULTS = {SPECTROGRAM: "retrained", RECURRENT: "recipe"}


@dataclass(frozen=True)
class Clips:
    """The recordings on which an export is checked.

    Attributes:
      paths: audio files; none to check on generated waveforms.
      why_none: why there are none.
    """

    paths: tuple[Path, ...] = ()
    why_none: str = "no recording was named"


def chosen_tests(protocol: ProtocolConfig) -> list[FoldDirectory]:
    """The tests asked for; of all folds, those that the run holds.

    Raises:
      UsageError: as `tests_of_fold`, and for a run without any test.
    """
    numbers = protocol.folds
    if numbers is None:
        run = RunDirectory(protocol.run_dir)
        run.check_exists()
        numbers = sorted({test.fold for test in run.tests()})
        if not numbers:
            raise UsageError(f"The run {run.path} holds no test yet.")
    return [
        directory
        for number in numbers
        for directory in tests_of_fold(protocol, number)
    ]


def tests_of_fold(protocol: ProtocolConfig, number: int) -> list[FoldDirectory]:
    """The tests of a fold that the run holds, of those asked for.

    Raises:
      UsageError: when there is no run, it holds none, or nothing says who of
        the fold's two speakers is the first.
    """
    run = RunDirectory(protocol.run_dir)
    run.check_exists()
    there = [test for test in run.tests() if test.fold == number]
    tests, asked = there, protocol.test_speaker
    if there and asked != "both":
        speaker = _speakers(there, protocol)[0 if asked == "first" else 1]
        tests = [test for test in there if test.test_speaker == speaker]
    if not tests:
        flag = "" if asked == "both" else f" --test_speaker={asked}"
        names = ", ".join(test.test_speaker for test in there)
        held = f" (it holds that of speaker {names})" if there else ""
        raise UsageError(
            f"The run {run.path} holds no such test of fold {number}{held}. "
            f"`python -m emotion_nas_tf.run --run_dir={run.path} "
            f"--fold={number}{flag}`, with the run's --records_dir and its "
            "other settings, makes it."
        )
    return tests


def _speakers(
    tests: Sequence[FoldDirectory], protocol: ProtocolConfig
) -> list[str]:
    """A fold's two speakers, the first one first.

    A test that has been evaluated knows both. So do two tests together;
    otherwise the records have to say.
    """
    names = {test.test_speaker for test in tests}
    for test in tests:
        if test.metrics.is_file():
            names.add(str(read_json(test.metrics)["validation_speaker"]))
    # Another number of them is of other records than the run's.
    speakers = names if len(names) == 2 else _recorded(tests[0].fold, protocol)
    if len(speakers) != 2 or not names <= speakers:
        raise UsageError(
            f"The run {protocol.run_dir} has not been evaluated on fold "
            f"{tests[0].fold}, and the records in {protocol.records_dir} do "
            "not say whether speaker "
            f"{', '.join(sorted(names, key=natural_key))} is its first or "
            "second: name the run's records with --records_dir, or leave "
            "--test_speaker out."
        )
    return sorted(speakers, key=natural_key)


def _recorded(number: int, protocol: ProtocolConfig) -> set[str]:
    """A fold's speakers as the records have them; none without records."""
    try:
        folds = make_folds(
            load_manifest(protocol.records_dir),
            number,
            allow_missing_classes=True,
        )
    except UsageError:
        return set()
    return {fold.test_speaker for fold in folds}


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
