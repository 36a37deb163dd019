"""The contrastive loss against published numbers and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_builder.features.wav2vec.checkpoint import read_checkpoint
from tfrecords_builder.features.wav2vec.loading import model_of
from tfrecords_builder.features.wav2vec.loss import (
    contrastive_logits,
    contrastive_loss,
    sample_negatives,
)


def test_published_loss_and_gradients(shared_dir):
    folder = shared_dir / "parity"
    with np.load(folder / "wav2vec_parity.npz") as file:
        published = {
            name.removeprefix("A/loss/"): file[name]
            for name in file
            if name.startswith("A/loss/")
        }
    model = model_of(
        read_checkpoint(folder / "wav2vec_small_random.pt"),
        prediction_head=True,
    )
    first = model.encoder[0].kernel.value
    head = model.head.kernel.value
    with tf.GradientTape() as tape:
        z = model.encode(published["wav"])
        logits = contrastive_logits(
            model.head(model.aggregate(z)),
            z,
            tf.constant(published["neg_time_index_NBT"], tf.int32),
            model.settings.prediction_offset,
        )
        total, positives, _ = contrastive_loss(logits)
    assert model.settings.prediction_offset == published["offset"]
    flat = np.concatenate([np.ravel(step) for step in logits])
    np.testing.assert_allclose(flat, published["logits_flat"], atol=2e-4)
    labels = [
        np.r_[
            np.ones(s[0].shape.num_elements()),
            np.zeros(s[1:].shape.num_elements()),
        ]
        for s in logits
    ]
    np.testing.assert_array_equal(
        np.concatenate(labels), published["labels_flat"]
    )
    np.testing.assert_allclose(total, 17_282.80, atol=0.01)
    assert positives == published["sample_size_positives"]
    ours = tape.gradient(total, [first, head])
    for gradient, name, axes in (
        (ours[0], "grad_feat_conv0", (2, 1, 0)),
        (ours[1][:, :, :, None], "grad_project_to_steps", (0, 2, 3, 1)),
    ):
        expected = published[name]
        np.testing.assert_allclose(
            np.transpose(gradient, axes),
            expected,
            atol=2e-4 * np.abs(expected).max(),
        )


def test_negatives_are_other_frames_of_all_kinds():
    drawn = sample_negatives(3, 5, 400, tf.constant([1, 2])).numpy()
    assert drawn.shape == (400, 3, 5)
    for frame in range(5):
        others = set(range(5)) - {frame}
        values, counts = np.unique(drawn[:, :, frame], return_counts=True)
        assert set(values) == others
        assert counts.min() > 230  # 300 expected
    again = sample_negatives(3, 5, 400, tf.constant([1, 2])).numpy()
    np.testing.assert_array_equal(drawn, again)


def test_equal_scores_are_worth_one_bit_each():
    total, positives, found = contrastive_loss([tf.zeros((11, 2, 7))])
    assert (positives, found) == (14, 0)
    np.testing.assert_allclose(total, 11 * 14 * np.log(2), rtol=1e-6)


@pytest.mark.parametrize("num_frames", [2, 3, 4])
def test_steps_beyond_the_end_are_empty(num_frames):
    z = tf.ones((1, num_frames, 2))
    predictions = tf.ones((1, num_frames, 3, 2))
    negatives = sample_negatives(1, num_frames, 2, tf.constant([0, 0]))
    logits = contrastive_logits(predictions, z, negatives, 2)
    lengths = [step.shape[2] for step in logits]
    assert lengths == [max(0, num_frames - ahead) for ahead in (2, 3, 4)]
