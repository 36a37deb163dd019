"""Sizes of the networks: the paper's values as defaults."""

from dataclasses import dataclass

from emotion_nas_tf.systems import SPECTROGRAM, systems_of

RELAXATIONS = ("softmax", "sigmoid", "gumbel")


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the spectrogram networks (paper, section 3.3).

    Attributes:
      num_cells: L.
      num_channels: C, of the first cell's nodes.
      num_nodes: N, intermediate nodes of a search cell.
      relaxation: how alpha becomes the search network's operation weights:
        `softmax` (the paper), `sigmoid` (Fair DARTS) or `gumbel` (GDAS).
      partial_channels: K: the search network mixes a K-th of every node's
        channels (PC-DARTS); 1 for all.
    """

    num_cells: int = 3
    num_channels: int = 6
    num_nodes: int = 4
    relaxation: str = "softmax"
    partial_channels: int = 1

    @property
    def systems(self) -> tuple[str, ...]:
        """Those of a test that are this large.

        With partial channels, none can inherit.
        """
        return tuple(
            name
            for name in systems_of(SPECTROGRAM)
            if name != "inherited" or self.partial_channels == 1
        )


@dataclass(frozen=True)
class RecurrentConfig:
    """Size of the recurrent networks (paper, Table 4).

    Attributes:
      num_layers: L.
      hidden_size: h.
      input_size: of a frame's features; 512 for wav2vec. Training takes it
        from the records.
      masked: compute and attend over real frames alone; otherwise over the
        padding to the corpus' longest utterance too, as the paper has it.
      standardize: shift and scale each feature to mean 0 and deviation 1 over
        the training speakers' frames; None where the features are log-mel.
    """

    num_layers: int = 2
    hidden_size: int = 256
    input_size: int = 512
    masked: bool = True
    standardize: bool | None = None
