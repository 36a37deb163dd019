"""TensorBoard's files on a disk that has no room for them."""

import pytest
import tensorflow as tf

from emotion_nas_tf.training.summaries import ScalarSummaries
from tfrecords_builder.errors import WorkError


def test_event_file_that_cannot_be_made(tmp_path, monkeypatch):
    def full(*arguments, **keywords):
        raise tf.errors.ResourceExhaustedError(
            None,
            None,
            "{{function_node __wrapped__CreateSummaryFileWriter_device}} "
            "events.v2; No space left on device\n\tFailed to flush 1 events",
        )

    monkeypatch.setattr(tf.summary, "create_file_writer", full)
    with pytest.raises(WorkError) as refusal:
        ScalarSummaries(tmp_path, lambda: 0.1)
    assert str(refusal.value) == (
        f"TensorBoard's file cannot be written to {tmp_path} (events.v2; No "
        "space left on device). Is the disk full? What was finished before is "
        "kept: free some space and run the same command again."
    )
