"""The derived network: the cells of a genotype, stacked."""

import functools

from emotion_nas_tf.networks.drop_path import DropPath
from emotion_nas_tf.search_space.cell import DerivedCell
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.macro import Backbone
from emotion_nas_tf.search_space.plan import plan_cells
from emotion_nas_tf.search_space.supernet import SearchNetwork


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

    def drop_paths(self, drop_path: DropPath) -> None:
        """Drops edges in training from now on; identities never."""
        for number, cell in enumerate(self.cells):
            cell.drop_path = functools.partial(drop_path, number)

    def inherit(self, search_network: SearchNetwork) -> None:
        """Takes over the search network's weights where they are shared.

        Scales and offsets, which a search network has only in its stem, keep
        their initial 1 and 0. The running statistics are those of sums over
        all operations: they have to be measured again.
        """
        for name in ("gamma", "beta"):
            getattr(self.stem_normalization, name).assign(
                getattr(search_network.stem_normalization, name)
            )
        self.stem.assign(search_network.stem)
        self.stem_normalization.inherit(search_network.stem_normalization)
        for ours, theirs in zip(self.cells, search_network.cells, strict=True):
            ours.inherit(theirs)
        self.classifier.kernel.assign(search_network.classifier.kernel)
        self.classifier.bias.assign(search_network.classifier.bias)
