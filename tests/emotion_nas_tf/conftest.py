"""What the tests of the networks share."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

# `published`, the map to the reference's weights, is imported by name.
sys.path.insert(0, str(Path(__file__).parent))

from tfrecords_builder import schema
from tfrecords_builder.config import SpectrogramConfig, fingerprint
from tfrecords_builder.records import (
    SCHEMA_VERSION,
    RecordEntry,
    RecordsManifest,
)
from tfrecords_builder.writer import write_shard

# 12 x 12 features instead of 140 x 140.
SMALL_FEATURES = SpectrogramConfig(
    "paper", "magnitude", 8, 8, 32, 1, num_features=12, num_columns=12
)
LABEL_NAMES = ("neutral", "angry", "sad")


@pytest.fixture
def double_precision():
    """Runs a test in float64."""
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def supernet_fixture(shared_dir):
    """Numbers of the published search step."""
    return np.load(shared_dir / "parity/darts_parity_supernet.npz")


@pytest.fixture(scope="session")
def small_records(tmp_path_factory):
    """Folder of records: four speakers, two sessions, three easy classes."""
    return write_records(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="session")
def write_small_records():
    """Writes such records, or a part of them; see `write_records`."""
    return write_records


def write_records(folder, keep=lambda speaker, label: True):
    """Fills `folder`, with the utterances that `keep` takes; returns it."""
    generator = np.random.default_rng(0)
    features = {"spectrogram": dataclasses.asdict(SMALL_FEATURES)}
    fields = schema.record_fields(features)
    entries, examples = [], []
    for index in range(72):
        speaker = index % 4
        label = index // 4 % 3
        # A class is a band of frequencies.
        spectrogram = generator.normal(size=(12, 12)).astype(np.float32)
        spectrogram[4 * label : 4 * label + 4] += 3
        if not keep("abcd"[speaker], LABEL_NAMES[label]):
            continue
        known = {
            "id": f"u{index}",
            "speaker": "abcd"[speaker],
            "session": str(1 + speaker // 2),
            "label": label,
        }
        examples.append(
            schema.encode(fields, {**known, "spectrogram": spectrogram})
        )
        entries.append(
            RecordEntry(
                **known,
                content_sha256=f"{index}",
                duration_seconds=1.0,
                shard=0,
                position=len(entries),
            )
        )
    shard = write_shard(folder / "all.tfrecord", examples, "none")
    RecordsManifest(
        schema_version=SCHEMA_VERSION,
        corpus="manifest",
        label_names=LABEL_NAMES,
        features=features,
        fingerprint=fingerprint(features),
        compression="none",
        entries=tuple(entries),
        shards=(shard,),
    ).save(folder)
    return folder
