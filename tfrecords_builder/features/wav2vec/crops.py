"""Crops of unlabelled audio, in an order that the seed alone decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrecords_builder.audio import AudioError, load_audio
from tfrecords_builder.errors import UsageError

_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aif", ".aiff")


def find_audio(folder: Path) -> list[Path]:
    """Every audio file in a folder and those below it, sorted.

    Raises:
      UsageError: when there is none.
    """
    paths = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    )
    if not paths:
        raise UsageError(
            f"There is no audio ({', '.join(_SUFFIXES)}) in {folder} or the "
            "folders below it. Name another folder with --audio_dir."
        )
    return paths


@dataclass(frozen=True)
class Crops:
    """Batches by number: batch k is the same, whatever came before it.

    Attributes:
      paths: audio files that can be used.
      seed: of order and crops.
      batch_size: crops of a batch.
      crop_samples: the longest crop; a batch is as long as its shortest file.
      shortest: samples that a file must have.
    """

    paths: Sequence[Path]
    seed: int
    batch_size: int
    crop_samples: int
    shortest: int

    def batch(self, number: int) -> np.ndarray:
        """(batch, samples) float32 of batch `number`, counted from 0."""
        per_epoch = -(-len(self.paths) // self.batch_size)
        epoch, place = divmod(number, per_epoch)
        order = np.random.default_rng([self.seed, 0, epoch])
        files = order.permutation(len(self.paths))
        # The last batch of an epoch is filled up from its beginning.
        chosen = np.resize(
            np.roll(files, -place * self.batch_size), self.batch_size
        )
        waveforms = [load_audio(self.paths[i]).waveform for i in chosen]
        length = min(self.crop_samples, *(len(w) for w in waveforms))
        rng = np.random.default_rng([self.seed, 1, number])
        starts = [rng.integers(len(w) - length + 1) for w in waveforms]
        return np.stack(
            [w[s : s + length] for w, s in zip(waveforms, starts, strict=True)]
        )


def usable_audio(
    paths: Sequence[Path], shortest: int, say: Callable[[str], None]
) -> list[Path]:
    """Files that can be read and are long enough; the others are named.

    Raises:
      UsageError: when none is left.
    """
    usable = []
    for path in paths:
        try:
            length = len(load_audio(path).waveform)
        except AudioError as error:
            say(f"Left out: {error}")
            continue
        if length < shortest:
            say(f"Left out: {path}: {length} samples, fewer than {shortest}.")
            continue
        usable.append(path)
    if not usable:
        raise UsageError(
            f"None of {len(paths)} audio files is readable and has "
            f"{shortest} samples (at 16 kHz), which these layers need."
        )
    return usable
