"""The second-order gradient of alpha (Liu et al. 2019, section 2.3).

    d L_val(w', alpha)/d alpha - rate * (g+ - g-) / (2 R)

    w' = one step of SGD from w on the training batch, without clip
    v  = d L_val(w', alpha)/d w'
    g+ = d L_train(w + R v, alpha)/d alpha, g- at w - R v, R = .01 / |v|

The difference stands for the product of v with the mixed second derivative of
the training loss. It is not the exact derivative: within R the ReLUs and
poolings change sides.
"""

import tensorflow as tf

from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.gradients import Batch, Pass, differentiate
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.replicas import mean_over_replicas

# The published r: the length of the finite step in w.
STEP_LENGTH = 1e-2
# Where v is zero the difference is too, and R only has to be finite.
_SMALLEST_NORM = 1e-12


def second_order_pass(
    network: SearchNetwork,
    optimizer: MomentumSGD,
    training: Batch,
    validation: Batch,
    micro_batches: int = 1,
) -> Pass:
    """Loss of the validation batch after a virtual step, gradient of alpha.

    Weights and optimiser stay as they are. As in the published code, the
    three passes over the training batch move the running statistics; that at
    w', a network of its own there, does not.

    Args:
      network: the search network.
      optimizer: of the weights: its rate, momentum and decay make the step.
      training: moves w to w'.
      validation: its loss is alpha's.
      micro_batches: see `differentiate`.
    """
    weights = network.network_weights
    alphas = network.architecture_weights
    ahead = differentiate(
        network, training, weights, micro_batches=micro_batches
    )
    # The step is one for all replicas, and so is the direction.
    virtual = optimizer.next_values(
        mean_over_replicas(ahead.gradients), weights
    )
    found = differentiate(
        network,
        validation.after(virtual),
        [*alphas, *weights],
        weights=virtual,
        keep_statistics=False,
        micro_batches=micro_batches,
    )
    direct = found.gradients[: len(alphas)]
    direction = mean_over_replicas(found.gradients[len(alphas) :])
    product = hessian_product(network, training, direction, micro_batches)
    gradients = [
        gradient - tf.cast(optimizer.learning_rate, gradient.dtype) * term
        for gradient, term in zip(direct, product, strict=True)
    ]
    return Pass(found.loss, found.logits, gradients)


def hessian_product(
    network: SearchNetwork,
    training: Batch,
    direction: list[tf.Tensor],
    micro_batches: int = 1,
) -> list[tf.Tensor]:
    """d2 L_train / (d alpha d w) * direction, by a central difference.

    Args:
      network: at w; its weights stay as they are.
      training: the batch.
      direction: v, one tensor for each of `network.network_weights`.
      micro_batches: see `differentiate`.

    Returns:
      (g+ - g-) / (2 R), one tensor for each alpha.
    """
    norm = tf.maximum(tf.linalg.global_norm(direction), _SMALLEST_NORM)
    radius = STEP_LENGTH / norm
    ends: list[list[tf.Tensor]] = []
    for sign in (1, -1):
        shifted = [
            weight.value + sign * radius * part
            for weight, part in zip(
                network.network_weights, direction, strict=True
            )
        ]
        before = ends[-1] if ends else []
        ends.append(
            differentiate(
                network,
                training.after([*shifted, *before]),
                network.architecture_weights,
                weights=shifted,
                micro_batches=micro_batches,
            ).gradients
        )
    return [
        (plus - minus) / (2 * radius) for plus, minus in zip(*ends, strict=True)
    ]
