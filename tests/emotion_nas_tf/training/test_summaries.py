"""TensorBoard's files on a disk that has no room for them."""

import pytest
import tensorflow as tf

from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.training.summaries import ScalarSummaries, write_recipe
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


def test_shows_a_recipe_drawn_and_as_text(tmp_path):
    write_recipe(tmp_path, 3, "winner", built_in("gru"), "rung 2")
    events = [
        event
        for path in tmp_path.iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(path))
    ]
    values = {v.tag: v for e in events for v in e.summary.value}
    assert events[-1].step == 3
    tensors = [v.tensor for e in events for v in e.summary.value]
    text = next(t for t in map(tf.make_ndarray, tensors) if t.size == 1)
    assert b"h_new_0 = blend(update_gate, h_prev_0, candidate)" in text.item()
    image = next(t for t in map(tf.make_ndarray, tensors) if t.size > 1)
    width, height, png = image
    assert int(width) <= 350 < int(height)
    assert tf.io.decode_png(png).shape == (int(height), int(width), 4)
    assert set(values) == {"winner"}
