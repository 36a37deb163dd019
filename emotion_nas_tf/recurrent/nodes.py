"""The operations that a recurrent cell is made of, and its nodes.

Pure Python: no TensorFlow.
"""

from dataclasses import dataclass

LINEAR = "linear"
BLEND = "blend"
PRODUCT = "elementwise_prod"
SUM = "elementwise_sum"
ACTIVATIONS = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
LEAKY_RELU_SLOPE = 0.01

# The inputs that an operation takes: fewest, most (None: as many as you like).
OPERATIONS: dict[str, tuple[int, int | None]] = {
    LINEAR: (1, None),
    BLEND: (3, 3),
    PRODUCT: (2, 2),
    SUM: (2, 2),
    **dict.fromkeys(ACTIVATIONS, (1, 1)),
}


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
      name: by which other nodes read it.
      op: a key of `OPERATIONS`.
      inputs: what it reads. `linear` is a matrix for each input and one bias;
        `blend(a, b, c)` is a * b + (1 - a) * c, a as it is.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
