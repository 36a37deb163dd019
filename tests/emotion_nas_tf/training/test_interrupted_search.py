"""A search with noise of its own, interrupted inside an epoch."""

import pytest
import tensorflow as tf

from benchmarks.run_checksums import checksums
from emotion_nas_tf.config import NetworkConfig, ProtocolConfig, SearchConfig
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training.checkpoints import Checkpoints
from emotion_nas_tf.training.searching import search_fold

# One operation an edge, drawn anew every step; one node is enough for that.
NETWORK = NetworkConfig(3, 2, 1, relaxation="gumbel", partial_channels=2)


class KilledError(Exception):
    pass


@pytest.fixture
def without_graphs():
    """Tracing the step takes longer than these few steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_gumbel_noise_goes_on_where_it_stopped(
    small_records, tmp_path, monkeypatch, without_graphs
):
    """An epoch of three steps, killed before the second one's save."""
    protocol = ProtocolConfig(small_records, tmp_path, (1,), "first")
    manifest, (fold,) = open_records(protocol)

    def search(run_dir, **options):
        directory = RunDirectory(run_dir).test(1, fold.test_speaker)
        config = SearchConfig(
            epochs=1,
            batch_size=12,
            # So fast that the drawn operations change the state by much.
            architecture_learning_rate=0.1,
            **options,
        )
        search_fold(small_records, manifest, fold, directory, NETWORK, config)
        return checksums(run_dir)

    save = Checkpoints.save

    def stop_before_saving(self, steps_completed):
        if steps_completed == 2:
            raise KilledError
        save(self, steps_completed)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", stop_before_saving)
        with pytest.raises(KilledError):
            search(tmp_path / "killed", checkpoint_minutes=0)
    (state,) = (tmp_path / "killed").rglob("ckpt-1.index")
    assert state.is_file()
    resumed, whole = (search(tmp_path / name) for name in ("killed", "whole"))
    assert resumed == whole
    assert len(whole) > 8
