"""What `train` refuses before it begins."""

import pytest
from programs import assert_refused, start


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
