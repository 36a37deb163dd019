"""The derived network: the cells of a genotype, stacked."""

from emotion_nas_tf.search_space.cell import DerivedCell
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.macro import Backbone, plan_cells


class DerivedNetwork(Backbone):
    """A network of found cells.

    Args:
      genotype: the cells.
      num_cells: L.
      num_channels: C.
      num_classes: logits.
    """

    def __init__(
        self,
        genotype: Genotype,
        num_cells: int = 3,
        num_channels: int = 6,
        num_classes: int = 4,
        **kwargs,
    ):
        last = plan_cells(num_cells, num_channels)[-1]
        concat = (
            genotype.reduce_concat if last.reduction else genotype.normal_concat
        )
        super().__init__(
            lambda **plan: DerivedCell(genotype, **plan),
            num_cells,
            num_channels,
            num_classes,
            output_nodes=len(concat),
            **kwargs,
        )
        self.genotype = genotype
