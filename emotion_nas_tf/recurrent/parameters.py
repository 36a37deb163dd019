"""Numbers of weights of a recurrent network. Pure Python: no TensorFlow."""

from emotion_nas_tf.config import RecurrentConfig
from emotion_nas_tf.recurrent.recipe import Recipe


def parameters(
    config: RecurrentConfig, recipe: Recipe, num_classes: int
) -> dict[str, int]:
    """Weights of the cells, of attention and classifier, and of all."""
    hidden = config.hidden_size
    above = recipe.size.parameters(hidden, hidden)
    recurrent = recipe.size.parameters(config.input_size, hidden)
    recurrent += (config.num_layers - 1) * above
    head = (hidden + 1) + (hidden + 1) * num_classes
    return {"recurrent": recurrent, "head": head, "total": recurrent + head}
