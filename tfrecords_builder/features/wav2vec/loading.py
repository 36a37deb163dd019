"""Between checkpoints and models."""

import numpy as np

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.checkpoint import Wav2VecCheckpoint
from tfrecords_builder.features.wav2vec.model import Wav2Vec


def model_of(
    checkpoint: Wav2VecCheckpoint, prediction_head: bool = False
) -> Wav2Vec:
    """A model with the checkpoint's weights.

    Args:
      checkpoint: settings and weights.
      prediction_head: load the matrices of pretraining, too.

    Raises:
      UsageError: when weights are missing, have another shape, are not
        finite, or when there are some that a wav2vec 1.0 of these settings
        does not have.
    """
    model = Wav2Vec(checkpoint.settings, prediction_head)
    weights = dict(checkpoint.weights)
    named = model.named_weights()
    missing = [each.name for each in named if each.name not in weights]
    if missing:
        raise UsageError(
            f"The wav2vec checkpoint lacks {len(missing)} of {len(named)} "
            f"weights, the first is {missing[0]}."
        )
    for each in named:
        array = weights.pop(each.name)
        if not np.isfinite(array).all():
            raise UsageError(
                f"The wav2vec checkpoint's {each.name} is not finite."
            )
        each.load(array)
    # Two sets of weights that extraction has no use for.
    for name in weights:
        if not name.startswith(("wav2vec_predictions.", "project_features.")):
            raise UsageError(
                f"The wav2vec checkpoint has weights ({name}) that the "
                "network of its settings has not."
            )
    return model


def checkpoint_of(model: Wav2Vec) -> Wav2VecCheckpoint:
    """A model's settings and weights."""
    return Wav2VecCheckpoint(
        model.settings,
        {each.name: each.to_torch() for each in model.named_weights()},
    )
