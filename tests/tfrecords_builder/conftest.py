"""Five generated clips to build records of."""

import csv
import dataclasses

import numpy as np
import pytest
import soundfile

from tfrecords_builder.builder import build_records
from tfrecords_builder.config import BuildConfig, spectrogram_preset

# Session, speaker and label of each clip; two a shard make three shards.
CLIPS = (
    ("1", "anna", "happy"),
    ("1", "anna", "sad"),
    ("1", "boris", "happy"),
    ("1", "boris", "sad"),
    ("2", "clara", "sad"),
)


@pytest.fixture
def config(tmp_path):
    """A build of the clips in `tmp_path / "corpus"`, not started yet."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "label", "speaker", "session"))
        for index, (session, speaker, label) in enumerate(CLIPS):
            noise = np.random.default_rng(index).normal(scale=0.1, size=4000)
            soundfile.write(folder / f"{index}.wav", noise, 16_000)
            rows.writerow((f"{index}.wav", label, speaker, session))
    return BuildConfig(
        corpus="manifest",
        corpus_dir=folder,
        records_dir=tmp_path / "records",
        spectrogram=spectrogram_preset("dft278", "log_magnitude"),
        num_workers=1,
        utterances_per_shard=2,
    )


@pytest.fixture
def build():
    """Builds quietly: the manifest and what would have been printed."""

    def run(config, **changes):
        said = []
        config = dataclasses.replace(config, **changes)
        manifest = build_records(config, said.append, said.append)
        return manifest, "\n".join(said)

    return run
