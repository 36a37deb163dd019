"""A search that meets a NaN, and goes on once its data are sound again."""

import numpy as np
import pytest
import tensorflow as tf
from small_search import search

from benchmarks.run_checksums import checksums
from emotion_nas_tf.config import NetworkConfig, ProtocolConfig, SearchConfig
from emotion_nas_tf.data.batches import search_batches
from emotion_nas_tf.training import searching
from tfrecords_builder.errors import WorkError
from tfrecords_builder.history import read_history

# Partial channels: no derived network that inherits, and is calibrated.
NETWORK = NetworkConfig(3, 2, 1, partial_channels=2)
# Two epochs of one step.
CONFIG = SearchConfig(epochs=2, batch_size=36)


@pytest.fixture(scope="module", autouse=True)
def without_graphs():
    """Tracing the step takes longer than these few steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def protocol(small_records, tmp_path_factory):
    return ProtocolConfig(
        small_records, tmp_path_factory.mktemp("run"), (1,), "first"
    )


@pytest.fixture(scope="module")
def whole(protocol):
    """Checksums of a search that meets no NaN."""
    search(protocol, protocol.run_dir / "whole", CONFIG, NETWORK)
    return checksums(protocol.run_dir / "whole")


def spoilt_batches(part):
    """Batches of which the second of the search holds a NaN."""

    def batches(training, architecture, size, seed, first_step, *rest, **more):
        sound = search_batches(
            training, architecture, size, seed, first_step, *rest, **more
        )

        def generate():
            for step, batch in enumerate(sound.as_numpy_iterator(), first_step):
                parts = [list(each) for each in batch]
                if step == 1:
                    parts[part][0] = parts[part][0].copy()
                    parts[part][0][0, 5, 5] = np.nan
                yield tuple(tuple(each) for each in parts)

        return tf.data.Dataset.from_generator(
            generate, output_signature=sound.element_spec
        )

    return batches


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (0, "^loss is no longer a finite number"),
        (1, "^architecture_loss, loss is no longer a finite number"),
    ],
)
def test_goes_on_from_the_epoch_before_the_nan(
    protocol, whole, monkeypatch, capsys, part, message
):
    run_dir = protocol.run_dir / f"nan_in_part_{part}"
    with monkeypatch.context() as patch:
        patch.setattr(searching, "search_batches", spoilt_batches(part))
        with pytest.raises(WorkError, match=message) as refusal:
            search(protocol, run_dir, CONFIG, NETWORK)
    folder = run_dir / "fold_1/test_a/spectrogram"
    assert "(step 1 of this epoch)" in str(refusal.value)
    assert f"good state is kept in {folder}." in str(refusal.value)
    assert [r["epoch"] for r in read_history(folder / "history.csv")] == [1]
    assert not (folder / "genotype.json").exists()

    # One state, that of the first epoch, and every number sound.
    (index,) = (folder / "checkpoints").glob("*.index")
    assert index.name == "ckpt-1.index"
    state = tf.train.load_checkpoint(str(index.with_suffix("")))
    names = [n for n in state.get_variable_to_shape_map() if "network" in n]
    assert names
    for name in names:
        assert np.isfinite(state.get_tensor(name)).all(), name

    capsys.readouterr()
    search(protocol, run_dir, CONFIG, NETWORK)
    assert "going on after epoch 1" in capsys.readouterr().err
    assert checksums(run_dir) == whole
