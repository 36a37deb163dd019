"""openSMILE's ComParE_2016 functionals: 6,373 numbers an utterance.

Pitch, energy, spectrum and voice quality of every frame, summed up over the
utterance by their statistics (Schuller et al., Interspeech 2016; Eyben et al.
2010): what emotion was recognised from before networks, and still a strong
comparator on small corpora. The package is optional: `pip install
.[opensmile]`.

    CACHE/ComParE_2016-2.6.0/CO/CONTENT.npy      by the audio's content
"""

import functools
import importlib.metadata
import importlib.util
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from tfrecords_builder.audio import load_audio
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry

NUM_FUNCTIONALS = 6_373
_SAMPLE_RATE_HZ = 16_000
# Utterances a process takes at a time.
_CHUNK = 16


def opensmile_version() -> str:
    """The version of the package.

    Raises:
      UsageError: when it is not installed.
    """
    if importlib.util.find_spec("opensmile") is None:
        raise UsageError(
            "openSMILE is not installed, and opensmile_svm needs it: `pip "
            "install .[opensmile]` in the project's folder, or `pip install "
            "opensmile`. Everything else works without it."
        )
    return importlib.metadata.version("opensmile")


@dataclass(frozen=True)
class Functionals:
    """Makes functionals, or takes them from where they were kept.

    Attributes:
      cache_dir: where features lie, by version and by content.
      version: of openSMILE.
    """

    cache_dir: Path
    version: str

    def of(self, entries: Sequence[RecordEntry]) -> np.ndarray:
        """The functionals of utterances, (n, 6373) float32.

        All NaN for an utterance too short for a single window of pitch.

        Raises:
          UsageError: when some are not kept and the package is missing or of
            another version, or their audio has gone or changed.
          AudioError: when the audio cannot be read.
        """
        self.make(self.missing(entries))
        rows = np.empty((len(entries), NUM_FUNCTIONALS), np.float32)
        for row, entry in zip(rows, entries, strict=True):
            row[:] = np.load(self._path(entry), allow_pickle=False)
        return rows

    def missing(self, entries: Sequence[RecordEntry]) -> list[RecordEntry]:
        """Those whose functionals are not kept."""
        return [e for e in entries if not self._path(e).is_file()]

    def make(self, entries: Sequence[RecordEntry]) -> None:
        """Makes and keeps the functionals of utterances, in parallel.

        Raises:
          UsageError: see `of`.
          AudioError: see `of`.
        """
        if not entries:
            return
        self._check_version()
        joblib.Parallel(n_jobs=-1, batch_size=_CHUNK)(
            joblib.delayed(_make)(entry, self._path(entry)) for entry in entries
        )

    def _path(self, entry: RecordEntry) -> Path:
        content = entry.content_sha256
        folder = self.cache_dir / f"ComParE_2016-{self.version}"
        # Folders of a few hundred files.
        return folder / content[:2] / f"{content}.npy"

    def _check_version(self) -> None:
        installed = opensmile_version()
        if installed != self.version:
            raise UsageError(
                f"openSMILE {self.version} made the features that are here; "
                f"{installed} is installed. `pip install opensmile=="
                f"{self.version}`, or use another --run_dir."
            )


def _make(entry: RecordEntry, path: Path) -> None:
    if not entry.path or not Path(entry.path).is_file():
        raise UsageError(
            f"openSMILE hears the audio itself, and {entry.path or entry.id} "
            "is no longer there. Put the corpus back where the records were "
            "built from, or build the records again."
        )
    audio = load_audio(entry.path, _SAMPLE_RATE_HZ)
    if audio.content_sha256 != entry.content_sha256:
        raise UsageError(
            f"{entry.path} has changed since the records were built. Build "
            "them again."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Segment too short")
        table = _extractor().process_signal(audio.waveform, _SAMPLE_RATE_HZ)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process in the name: identical audio may be in two workers' hands.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("wb") as file:
        np.save(file, table.to_numpy(np.float32)[0], allow_pickle=False)
    os.replace(temporary, path)


@functools.lru_cache(maxsize=1)
def _extractor():
    import opensmile

    return opensmile.Smile(
        opensmile.FeatureSet.ComParE_2016,
        opensmile.FeatureLevel.Functionals,
    )
