"""What a run refuses before its first step; nothing is written by then."""

import dataclasses
import hashlib

import pytest

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
    ProtocolConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    RunConfig,
    SearchConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.evaluation.procedure import Procedure
from emotion_nas_tf.evaluation.run_checks import check_run
from emotion_nas_tf.recurrent import parallel
from emotion_nas_tf.systems import STREAMS
from emotion_nas_tf.training import comparators
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError

CONFIG = RunConfig(
    STREAMS,
    NetworkConfig(),
    SearchConfig(),
    DerivedTrainConfig(),
    RecurrentConfig(),
    CandidateSearchConfig(num_candidates=3, pool_size=3),
    RecurrentTrainConfig(),
    FusionConfig(),
)


@pytest.fixture
def check(small_records, tmp_path):
    """Checks a run on the small records, as if they had features over time."""

    def run(checkpoint=None, features="logmel", records=small_records, **parts):
        manifest, folds = open_records(
            ProtocolConfig(records, tmp_path, (1,), "first")
        )
        digest = hashlib.sha256(b"weights").hexdigest()
        sequence = SequenceConfig(
            features, "a.npz", digest, "c", 4, 1, num_frames=9
        )
        manifest = dataclasses.replace(
            manifest,
            features={
                **manifest.features,
                "sequence": dataclasses.asdict(sequence),
            },
        )
        config = dataclasses.replace(CONFIG, **parts)
        folder = tmp_path / "run"
        procedure = Procedure(records, folder, manifest, config, checkpoint)
        try:
            check_run(procedure, folds)
        finally:
            assert not folder.exists()

    return run


def candidates(**changes):
    return dataclasses.replace(CONFIG.candidates, **changes)


def test_what_can_be_done_is_not_refused(check):
    check()
    check(fusion=FusionConfig(data="cross_fitted"))
    check(comparators=("majority", "cnn"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture_warm_up_epochs": 50}, "leaves none of the 50 epochs"),
        ({"micro_batches": 5}, "cannot be cut into 5 equal parts"),
    ],
)
def test_a_search_that_cannot_be_is_refused(check, changes, message):
    search = SearchConfig(**changes)
    with pytest.raises(UsageError, match=message):
        check(search=search)
    check(search=search, streams=("recurrent",))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        # Spectrograms of 12 x 12; up to 9 frames of 4 numbers.
        ({"train": DerivedTrainConfig(time_mask=12)}, "--time_mask=12 could"),
        (
            {"recurrent_train": RecurrentTrainConfig(time_mask=9)},
            "--recurrent_time_mask=9 could silence all 9",
        ),
        (
            {"recurrent_train": RecurrentTrainConfig(frequency_mask=4)},
            "--recurrent_frequency_mask=4 could silence all 4",
        ),
    ],
)
def test_masks_that_silence_everything_are_refused(check, parts, message):
    check(
        train=DerivedTrainConfig(frequency_mask=11, time_mask=11),
        recurrent_train=RecurrentTrainConfig(frequency_mask=3, time_mask=8),
    )
    with pytest.raises(UsageError, match=message):
        check(**parts)


def test_candidates_that_cannot_be_are_refused(check, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel.importlib.util, "find_spec", lambda name: None)
    for changes, message in [
        ({"num_candidates": 30}, r"pool holds \d+ .* --num_candidates=30"),
        ({"rung_epochs": (3, 3)}, "--rung_epochs must rise"),
        ({"recipe_files": (tmp_path / "none",)}, "no recipe file"),
        ({"parallel_backend": "ray"}, "needs ray, not installed"),
    ]:
        with pytest.raises(UsageError, match=message):
            check(candidates=candidates(**changes))
        # Where no cell is searched, they do not matter.
        check(candidates=candidates(**changes), streams=("spectrogram",))


@pytest.mark.parametrize("system", ["search", "inherited"])
def test_what_cannot_be_cross_fitted_is_refused(check, system):
    fusion = FusionConfig(fused=(system, "recipe"), data="cross_fitted")
    with pytest.raises(UsageError, match=f"system {system} cannot be trained"):
        check(fusion=fusion)
    check(fusion=fusion, streams=("spectrogram",))


def test_too_few_speakers_to_cross_fit_are_refused(
    check, write_small_records, tmp_path
):
    (tmp_path / "records").mkdir()
    records = write_small_records(
        tmp_path / "records", lambda speaker, label: speaker != "d"
    )
    with pytest.raises(UsageError, match="trains on the one speaker c"):
        check(fusion=FusionConfig(data="cross_fitted"), records=records)


def test_a_package_that_is_missing_is_named(check, monkeypatch):
    def missing():
        raise UsageError("openSMILE is not installed")

    monkeypatch.setattr(comparators, "opensmile_version", missing)
    with pytest.raises(UsageError, match="openSMILE is not installed"):
        check(comparators=("majority", "opensmile_svm"))


def test_a_checkpoint_must_be_that_of_the_records(check, tmp_path):
    checkpoint = tmp_path / "a.npz"
    with pytest.raises(UsageError, match=r"no wav2vec checkpoint .*a\.npz"):
        check(checkpoint, "wav2vec")
    checkpoint.write_bytes(b"others")
    with pytest.raises(UsageError, match="not the checkpoint that the records"):
        check(checkpoint, "wav2vec")
    checkpoint.write_bytes(b"weights")
    check(checkpoint, "wav2vec")
    with pytest.raises(UsageError, match=r"does nothing here.*logmel"):
        check(checkpoint, "logmel")
    with pytest.raises(UsageError, match=r"does nothing here.*the spectrogram"):
        check(checkpoint, "wav2vec", streams=("spectrogram",))
