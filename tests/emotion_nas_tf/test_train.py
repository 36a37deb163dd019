"""What `train` refuses before it begins."""

import pytest
from programs import assert_refused, start
from sequence_data import write_sequence_records

from tfrecords_builder.config import SequenceConfig


def test_a_stream_that_the_records_do_not_have(small_records, tmp_path):
    process = start(
        "train",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
        "--systems=lstm",
    )
    assert_refused(process, "no features over time", "--sequence_features")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--systems=cnn", "--genotype=a.json"], "--genotype does nothing"),
        (["--systems=retrained", "--recipe=gru"], "--recipe does nothing"),
    ],
)
def test_a_cell_that_nobody_trains(small_records, tmp_path, flags, message):
    process = start(
        "train",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
        *flags,
    )
    assert_refused(process, message)
    assert not (tmp_path / "run").exists()


def test_flags_that_do_nothing_are_noted(small_records, tmp_path):
    process = start(
        "train",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
        "--systems=majority",
        "--mixup=0.2",
        "--recurrent_frequency_warp=0.1",
        "--seed=3",
    )
    assert process.returncode == 0, process.stderr
    assert "Note: --mixup does nothing here" in process.stderr
    assert "Note: --recurrent_frequency_warp does noth" in process.stderr
    assert "--seed" not in process.stderr


def test_features_that_cannot_be_changed_as_asked(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    write_sequence_records(
        records, SequenceConfig("wav2vec", "", "", "", 5, 20)
    )
    for program in ("train", "search"):
        process = start(
            program,
            "--fold=1",
            "--streams=spectrogram,recurrent",
            f"--records_dir={records}",
            f"--run_dir={tmp_path / 'run'}",
            "--recurrent_frequency_warp=0.1",
        )
        assert_refused(process, "--recurrent_frequency_warp")
        assert not (tmp_path / "run").exists()
