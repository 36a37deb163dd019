"""Mixed precision: activations in half the bits, everything else in all.

Weights, statistics of batch normalisation, alpha, logits, loss and the state
of the optimisers stay in single precision; kernels are rounded as they are
used (Micikevicius et al., ICLR 2018).

    mixed_bfloat16   range of float32, 8 bits of precision
    mixed_float16    11 bits, up to 65504: its loss has to be scaled
"""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def layers_in(precision: str) -> Iterator[None]:
    """Layers that are made inside compute in this precision.

    Args:
      precision: one of `config.PRECISIONS`; `float32` is Keras' setting as it
        stands, which tests make `float64`.
    """
    if precision == "float32":
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
