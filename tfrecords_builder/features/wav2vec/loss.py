"""The contrastive loss of wav2vec (Schneider et al. 2019, section 2.2).

From c at frame t, each of the next steps' z must be told from negatives: z at
other frames of the same utterance.
"""

import tensorflow as tf


def sample_negatives(
    batch: int | tf.Tensor,
    num_frames: int | tf.Tensor,
    num_negatives: int,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Frames to tell the true one from, never the true one itself.

    The published code means to leave it out too, but its correction is laid
    out in another order than its samples; that is not repeated here.

    Args:
      batch: utterances.
      num_frames: of each; two at least.
      num_negatives: for every frame.
      seed: (2,) integers; equal ones, equal frames.

    Returns:
      (num_negatives, batch, num_frames) int32.
    """
    drawn = tf.random.stateless_uniform(
        (num_negatives, batch, num_frames),
        seed,
        0,
        num_frames - 1,
        dtype=tf.int32,
    )
    # One frame fewer than there are; those from the true one on move up.
    return drawn + tf.cast(drawn >= tf.range(num_frames), tf.int32)


def contrastive_logits(
    predictions: tf.Tensor, z: tf.Tensor, negatives: tf.Tensor, offset: int
) -> list[tf.Tensor]:
    """Similarities of predicted and real frames, for every step ahead.

    Args:
      predictions: (batch, frames, steps, size) of `PredictionHead`; step i is
        of the frame `i + offset` ahead.
      z: (batch, frames, size).
      negatives: (num_negatives, batch, frames) indices of frames.
      offset: frames that the first step is ahead.

    Returns:
      For each step that the frames allow, (1 + num_negatives, batch,
      frames - i - offset); the first copy is the true frame.
    """
    frames = tf.gather(
        tf.repeat(z[None], tf.shape(negatives)[0], axis=0),
        negatives,
        batch_dims=2,
    )
    targets = tf.concat([z[None], frames], 0)
    logits = []
    for step in range(predictions.shape[2]):
        ahead = step + offset
        # Slices of too short an utterance are empty: its steps are.
        seen = predictions[:, : tf.maximum(tf.shape(z)[1] - ahead, 0), step]
        logits.append(
            tf.reduce_sum(seen[None] * targets[:, :, ahead:], axis=-1)
        )
    return logits


def contrastive_loss(
    logits: list[tf.Tensor],
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Sigmoid cross entropy, label 1 for the true frames.

    Args:
      logits: of `contrastive_logits`.

    Returns:
      Its sum over all logits (nats), the number of true frames, by which the
      published training divides it, and how many of them score higher than
      every one of their negatives.
    """
    total, positives, found = 0.0, 0.0, 0.0
    for step in logits:
        labels = tf.concat([tf.ones_like(step[:1]), 0 * step[1:]], 0)
        total += tf.reduce_sum(
            tf.nn.sigmoid_cross_entropy_with_logits(labels, step)
        )
        positives += tf.cast(tf.size(step[0]), tf.float32)
        best = step[0] > tf.reduce_max(step[1:], axis=0)
        found += tf.reduce_sum(tf.cast(best, tf.float32))
    return total, positives, found
