"""What `train` refuses before it begins."""

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
