"""The network that is timed: where its cells stand and what they multiply.

Pure Python, and apart from the library: what the library is compared with
must not come from it.
"""

from dataclasses import dataclass

NODES = 4
STEM_MULTIPLIER = 3
# Kernel sizes of the operations with a convolution per channel.
SEPARABLE, DILATED = (3, 5), (3, 5)


@dataclass(frozen=True)
class CellPlan:
    """A cell's place: channels of a node, of its inputs, what is halved."""

    channels: int
    older_channels: int
    newer_channels: int
    reduction: bool
    after_reduction: bool


def plan_cells(num_cells: int, num_channels: int) -> list[CellPlan]:
    """Reductions at L // 3 and 2L // 3, where the channels double."""
    older = newer = STEM_MULTIPLIER * num_channels
    channels, after_reduction, plans = num_channels, False, []
    for index in range(num_cells):
        reduction = index in (num_cells // 3, 2 * num_cells // 3)
        channels *= 2 if reduction else 1
        plans.append(
            CellPlan(channels, older, newer, reduction, after_reduction)
        )
        older, newer, after_reduction = newer, NODES * channels, reduction
    return plans


def step_flops(
    num_cells: int, num_channels: int, batch_size: int, size: int
) -> float:
    """Floating-point operations that one first-order search step needs.

    Counted are the convolutions, depthwise and pointwise apart: 2 * k * k an
    output element for the one, 2 * C_in for the other. Every convolution runs
    forward in both passes. Backwards, its input's gradient is needed where
    something that is moved lies upstream (in the architecture pass nothing
    does before the first mixed sum), its kernel's in the weight pass alone.
    Normalisation, pooling, sums and the classifier are left out. The pruned
    PyTorch step does exactly these, the published one three tenths more.

    Args:
      num_cells: L.
      num_channels: C.
      batch_size: utterances in each of the two batches.
      size: frequency bins and time columns of the input.
    """
    stem = 9 * STEM_MULTIPLIER * num_channels * size**2
    # Both passes forward, the kernel's gradient; the input's is nobody's.
    products = 3 * stem
    length = size
    for index, plan in enumerate(plan_cells(num_cells, num_channels)):
        channels = plan.channels
        # Whether alpha lies upstream of the two inputs: only then does the
        # architecture pass go back through them.
        older_moves, newer_moves = index > 1, index > 0
        inputs = length**2 * channels
        products += inputs * plan.older_channels * (4 + older_moves)
        products += inputs * plan.newer_channels * (4 + newer_moves)
        if plan.reduction:
            length //= 2
        outputs = length**2 * channels
        for target in range(NODES):
            for source in range(2 + target):
                moves = (older_moves, newer_moves)[source] if source < 2 else 1
                strided = plan.reduction and source < 2
                products += outputs * _edge(channels, strided) * (4 + moves)
    return 2.0 * batch_size * products


def _edge(channels: int, strided: bool) -> int:
    """Multiplications of all operations of an edge, an output element."""
    total = channels if strided else 0
    total += sum(2 * (kernel**2 + channels) for kernel in SEPARABLE)
    return total + sum(kernel**2 + channels for kernel in DILATED)
