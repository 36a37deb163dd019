"""Attention pooling: against a hand calculation, blind to padding."""

import numpy as np
import tensorflow as tf

from emotion_nas_tf.networks.attention import AttentionPooling

FRAMES = tf.constant([[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]], tf.float32)


def pooling(scoring, bias=0.7):
    layer = AttentionPooling()
    layer.build((None, None, 2))
    layer.set_weights([np.array(scoring)[:, None], np.array([bias])])
    return layer


def test_by_hand():
    layer = pooling([np.log(2.0), np.log(3.0)])
    # Scores log 2, 2 log 3, 3 log 6: weights 2, 9, 216 of 227.
    weights = np.array([2, 9, 216]) / 227
    np.testing.assert_allclose(layer.weigh(FRAMES)[0], weights, atol=1e-6)
    np.testing.assert_allclose(
        layer(FRAMES), [weights @ FRAMES.numpy()[0]], atol=1e-5
    )
    np.testing.assert_allclose(
        layer(FRAMES, tf.constant([2])),
        [np.array([2, 9]) / 11 @ FRAMES.numpy()[0, :2]],
        atol=1e-5,
    )


def test_equal_scores_give_the_mean_of_real_frames():
    layer = pooling([0.0, 0.0])
    frames = np.tile(FRAMES, (3, 1, 1))
    # No frame at all counts as one.
    found = layer(frames, tf.constant([3, 2, 0]))
    wanted = [frames[0].mean(0), frames[0, :2].mean(0), frames[0, 0]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_padding_changes_nothing_not_even_infinite():
    layer = pooling([1.0, -1.0])
    padded = np.concatenate([FRAMES, np.full((1, 2, 2), np.inf)], 1)
    padded = tf.constant(padded, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(padded)
        found = layer(padded, tf.constant([3]))
        total = tf.reduce_sum(found)
    np.testing.assert_allclose(found, layer(FRAMES), atol=1e-6)
    gradients = tape.gradient(total, [padded, *layer.trainable_variables])
    assert not np.any(gradients[0][:, 3:])
    assert all(np.all(np.isfinite(g)) for g in gradients[1:])


def test_parameters():
    layer = AttentionPooling()
    layer.build((None, None, 256))
    assert layer.count_params() == 257
