"""The row of cells: channels, and where frequency and time are halved.

Pure Python: no TensorFlow.
"""

from dataclasses import dataclass

STEM_MULTIPLIER = 3


@dataclass(frozen=True)
class CellPlan:
    """Where a cell stands: its channels, and whether it or the last halves."""

    channels: int
    reduction: bool
    after_reduction: bool


def plan_cells(num_cells: int, num_channels: int) -> list[CellPlan]:
    """The row of cells. L=3 is normal, reduction, reduction."""
    plans: list[CellPlan] = []
    for index in range(num_cells):
        reduction = index in (num_cells // 3, 2 * num_cells // 3)
        before = plans[-1] if plans else CellPlan(num_channels, False, False)
        plans.append(
            CellPlan(
                before.channels * (2 if reduction else 1),
                reduction,
                before.reduction,
            )
        )
    return plans
