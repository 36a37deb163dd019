"""Weights that find no room."""

from types import SimpleNamespace

import pytest

from emotion_nas_tf.networks.system import save_weights
from tfrecords_builder.errors import WorkError

# What HDF5 says on closing a file on a full disk.
FULL = (
    "Disable slist on flush dest failure failed (file write failed: time = now"
    "\n, filename = 'x.h5', errno = 28, error message = 'No space left on "
    "device')"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(FULL, WorkError), ("an optimiser is not built", RuntimeError)],
)
def test_full_disk_leaves_the_weights_before(tmp_path, text, expected):
    path = tmp_path / "network.weights.h5"
    path.write_text("before")

    def write(named):
        named.write_text("half")
        raise RuntimeError(text)

    with pytest.raises(expected, match=r"space left|not built"):
        save_weights(SimpleNamespace(save_weights=write), path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
