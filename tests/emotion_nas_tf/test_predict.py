"""What `predict` refuses before it begins."""

from programs import assert_refused, start


def test_predict_refuses_an_output_before_it_opens_the_model(tmp_path):
    # An empty model: opening it would be another error.
    (tmp_path / "saved_model.pb").touch()
    process = start(
        "predict",
        f"--model={tmp_path}",
        "--output=/dev/null/all.csv",
        str(tmp_path / "saved_model.pb"),
    )
    assert_refused(process, "/dev/null is no folder. Name a file in another")


def test_predict_refuses_what_does_not_exist_before_it_opens_the_model(
    tmp_path,
):
    (tmp_path / "saved_model.pb").touch()
    missing = str(tmp_path / "recordings")
    process = start("predict", f"--model={tmp_path}", missing)
    assert_refused(process, f"There is no file or folder {missing}.")
