"""TensorFlow Serving's folders."""

import pytest

from emotion_nas_tf.serving.model_versions import version_folder
from tfrecords_builder.errors import UsageError


def test_versions_follow_each_other_and_are_never_replaced(tmp_path):
    assert version_folder(tmp_path, "m") == tmp_path / "m" / "1"
    for name in ("1", "9", "10", ".12.unfinished-x", "notes"):
        (tmp_path / "m" / name).mkdir(parents=True)
    assert version_folder(tmp_path, "m") == tmp_path / "m" / "11"
    assert version_folder(tmp_path, "m", 7) == tmp_path / "m" / "7"
    with pytest.raises(UsageError, match=r"9 is there already.*is 11"):
        version_folder(tmp_path, "m", 9)
    (tmp_path / "m" / "saved_model.pb").touch()
    with pytest.raises(UsageError, match="is a model itself"):
        version_folder(tmp_path, "m")
