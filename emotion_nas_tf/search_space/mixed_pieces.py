"""What a part of the batch runs through in a mixed operation, in training."""

import functools

import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from emotion_nas_tf.search_space.mixing import (
    combine,
    products_with_deviations,
    products_with_shared,
    spreading,
)
from emotion_nas_tf.search_space.moments import (
    channel_sums,
    moments,
    sums_of_pairs,
)
from emotion_nas_tf.search_space.operations import OPERATIONS
from emotion_nas_tf.search_space.parts import apart, kernel_gradients
from emotion_nas_tf.search_space.primitives import matmul
from emotion_nas_tf.search_space.separable import (
    separable_each,
    separable_each_gradients,
)
from emotion_nas_tf.search_space.source import Source


@functools.cache
def mixed_pieces(channels: int, stride: int, edges: int) -> "MixedPieces":
    """The same for all mixed operations of a kind, see `MixedPieces`.

    Each takes a while to trace and to optimise.
    """
    return MixedPieces(channels, stride, edges)


class MixedPieces:
    """Six pieces between the sums over the whole batch.

    Three forward: from the node to the first batch normalisation of every
    operation (`begin`), the second stages of those that have one (`finish`),
    the weighted sum (`combine`). Three backward: the products that the sum's
    gradients need (`correlate`), then the two others back (`finish_back`,
    `begin_back`; of two, the second also gives the gradients of kernels).

    Rows of a matrix belong to operations, in the order of `operations`; they
    have T * C values.

    Args:
      channels: C.
      stride: of the edges.
      edges: T.

    Attributes:
      names: of the operations; those of two stages first, those that end
        without a batch normalisation last.
      operations: likewise; never built: kernels are arguments.
      edges: T.
      width: T * C.
      two_stages: how many operations have two.
      normalized: how many end with a batch normalisation.
    """

    def __init__(self, channels: int, stride: int, edges: int):
        operations = {
            name: OPERATIONS[name](
                channels=channels, stride=stride, num_edges=edges, search=True
            )
            for name in OPERATION_NAMES
            if name != "none"
        }
        self.names = sorted(
            operations,
            key=lambda name: (
                not operations[name].two_stages,
                not operations[name].ends_normalized,
            ),
        )
        self.operations = [operations[name] for name in self.names]
        self.edges = edges
        self.width = edges * channels
        self.two_stages = sum(o.two_stages for o in self.operations)
        self.normalized = sum(o.ends_normalized for o in self.operations)
        self.begin = apart(self._begin_part)
        self.finish = apart(self._finish_part)
        self.combine = apart(combine)
        self.correlate = apart(self._correlate_part)
        self.finish_back, self.begin_back = (
            [
                apart(functools.partial(piece, wanted))
                for wanted in (False, True)
            ]
            for piece in (self._finish_back_part, self._begin_back_part)
        )

    def _values(self, x, kernels, laid_out):
        source = Source(x, self.edges)
        return [
            operation.begin(source, *given, *made)
            for operation, given, made in zip(
                self.operations, kernels, laid_out, strict=True
            )
        ]

    def _begin_part(self, x, kernels, laid_out):
        values = self._values(x, kernels, laid_out)
        return values, *moments(*values[: self.normalized])

    def _finish_part(self, begun, factors, shifts, kernels):
        values = [
            separable_each(elementwise.rectified_affine(x, *line), *given)
            for x, given, *line in zip(
                begun, kernels, tf.unstack(factors), tf.unstack(shifts),
                strict=True,
            )
        ]  # fmt: skip
        return values, *moments(*values)

    def _correlate_part(self, g, terms, means):
        """Sums of g, and of g * (term - its mean): (terms, T * C)."""
        sums = channel_sums(g)
        means = tf.unstack(means)
        own = [i for i in range(self.normalized) if self._is_own(terms[i])]
        covariances = dict(
            zip(
                own,
                products_with_deviations(
                    g, [terms[i] for i in own], [means[i] for i in own]
                ),
                strict=True,
            )
        )
        for i, term in enumerate(terms):
            if i not in own:
                covariances[i] = products_with_shared(g, term) - means[i] * sums
        return sums, tf.stack([covariances[i] for i in range(len(terms))])

    def _finish_back_part(
        self, wanted, g, terms, begun, lines, inner_line, mean, kernels
    ):
        """Back to the ReLU between two stages.

        Gives gradients of its result; (stages, 2, T * C) sums of those of its
        argument, and of their products with its deviations; those of kernels.
        """
        found, sums, g_kernels = [], [], []
        rows = (tf.unstack(row) for row in (*lines, *inner_line, mean))
        for term, x, given, *vectors in zip(
            terms, begun, kernels, *rows, strict=True
        ):
            factor, slope, constant, *rectifying, origin = vectors
            g_term = elementwise.linear_combination(
                constant, [factor, slope], [g, term]
            )
            with kernel_gradients(wanted):
                g_x, *of_kernels = separable_each_gradients(
                    g_term,
                    functools.partial(
                        elementwise.rectified_affine, x, *rectifying
                    ),
                    *given,
                )
            pairs = elementwise.rectified_gradient_products(
                g_x, x, *rectifying, origin
            )
            found.append(g_x)
            sums.append(tf.stack(sums_of_pairs(pairs)))
            g_kernels += of_kernels
        return found, tf.stack(sums), *g_kernels

    def _begin_back_part(
        self, wanted, x, g, terms, g_rectified, begun, lines, inner_lines,
        kernels, laid_out,
    ):  # fmt: skip
        """Back to the node: gradients of its value and of kernels."""
        gradients = [
            elementwise.rectified_combination(*arguments)
            for arguments in zip(
                g_rectified, begun, *map(tf.unstack, inner_lines), strict=True
            )
        ]
        factors, slopes, constants = map(tf.unstack, lines)
        for i, (term, factor) in enumerate(zip(terms, factors, strict=True)):
            is_normalized = i < len(slopes)
            if is_normalized and self._is_own(term):
                gradients.append(
                    elementwise.linear_combination(
                        constants[i], [factor, slopes[i]], [g, term]
                    )
                )
                continue
            back = spreading(factor, term.shape[-1])
            g_term = matmul(g, tf.cast(back, g.dtype), transpose_b=True)
            if is_normalized:
                slope, constant = (
                    tf.reduce_sum(tf.reshape(v, (self.edges, -1)), 0)
                    for v in (slopes[i], constants[i])
                )
                g_term = elementwise.linear_combination(
                    constant, [None, slope], [g_term, term]
                )
            gradients.append(g_term)
        inputs = [x, *(tf.nest.flatten(kernels) if wanted else ())]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            values = self._values(x, kernels, laid_out)
        with kernel_gradients(wanted):
            return tape.gradient(values, inputs, output_gradients=gradients)

    def _is_own(self, term):
        """Whether every edge has a result of its own."""
        return term.shape[-1] == self.width
