"""What `predict` refuses before it begins."""

from programs import assert_refused, start


def test_predict_refuses_an_output_before_it_opens_the_model(tmp_path):
    # An empty model: opening it would be another error.
    (tmp_path / "saved_model.pb").touch()
    process = start(
        "predict",
        f"--model={tmp_path}",
        "--output=/dev/null/all.csv",
        "a.wav",
    )
    assert_refused(process, "/dev/null is no folder. Name a file in another")
