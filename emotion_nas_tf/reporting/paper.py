"""What the paper prints in Tables 1 to 4, and which of it is ours to measure.

Our numbers of weights are counted from structure: no data, no TensorFlow.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from emotion_nas_tf.config import NetworkConfig, RecurrentConfig
from emotion_nas_tf.networks.parameters import parameters
from emotion_nas_tf.recurrent.parameters import (
    parameters as recurrent_parameters,
)
from emotion_nas_tf.recurrent.recipe_files import built_in

NUM_CLASSES = 4
# The perceptron of section 3.3: (8, 8), (8, 4), (4, 4).
_PERCEPTRON = (8, 8, 4, 4)
_SPECTROGRAM_SYSTEMS = ("search", "retrained", "random_cell")
_RECURRENT_SYSTEMS = ("recipe", "lstm", "gru", "random_recipe")


@dataclass(frozen=True)
class Row:
    """A row of one of the paper's tables.

    Attributes:
      name: as printed.
      ua: unweighted accuracy on IEMOCAP as printed, in percent.
      printed_parameters: as printed; empty where the table has no such column.
      parameters: ours, exact; None where the paper counts none or the method
        is not ours.
      systems: which of ours to show; none for a method of others.
      size: fields of a system's network that a run must have for this row.
      preset: the flag file that makes the row.
    """

    name: str
    ua: float
    printed_parameters: str = ""
    parameters: int | None = None
    systems: tuple[str, ...] = ()
    size: Mapping[str, int] = field(default_factory=dict)
    preset: str = ""


@dataclass(frozen=True)
class PaperTable:
    """One table.

    Attributes:
      number: the paper's.
      title: what it is about.
      heading: of its first column.
      rows: in the paper's order.
      remark: what a reader of our columns should know; may be empty.
    """

    number: int
    title: str
    heading: str
    rows: tuple[Row, ...]
    remark: str = ""

    @property
    def has_parameters(self) -> bool:
        """Whether the paper's table has a column of parameters."""
        return any(row.printed_parameters for row in self.rows)


def spectrogram_parameters(num_cells: int, num_channels: int) -> int:
    """Of the search network, which is what the paper's table counts."""
    return parameters(NetworkConfig(num_cells, num_channels), NUM_CLASSES).total


def recipe_parameters(num_layers: int, hidden_size: int) -> int:
    """Of the built-in recipe `table4` on wav2vec features, with its head."""
    network = RecurrentConfig(num_layers, hidden_size)
    counts = recurrent_parameters(network, built_in("table4"), NUM_CLASSES)
    return counts["total"]


def perceptron_parameters() -> int:
    """Of the fusion's three layers."""
    return sum(a * b + b for a, b in itertools.pairwise(_PERCEPTRON))


def millions(count: int) -> str:
    """`132274` -> `0.13M`, as the paper prints it."""
    return f"{count / 1e6:.2f}M"


def paper_tables() -> tuple[PaperTable, ...]:
    """Tables 1 to 4."""
    spectrogram = spectrogram_parameters(3, 6)
    recurrent = recipe_parameters(2, 256)
    both = spectrogram + recurrent + perceptron_parameters()
    fused = ("fusion", "fusion_mean", "fusion_product")
    return (
        PaperTable(
            1,
            "Performance of different methods on IEMOCAP",
            "Method",
            (
                Row("CNN-LSTM [17]", 62.0),
                Row("RNN-ELM [35]", 63.9),
                Row("CNN-GRU [6]", 64.2),
                Row("CTC-RNN [7]", 66.2),
                Row("PCNSE-SADRN-CTC [8]", 66.3),
                Row(
                    "EmotionNAS (Ours)",
                    72.8,
                    systems=fused,
                    preset="table1_emotionnas",
                ),
            ),
        ),
        PaperTable(
            2,
            "Importance of each branch",
            "Method",
            (
                Row(
                    "Spectrogram branch",
                    63.5,
                    "0.13M",
                    spectrogram,
                    _SPECTROGRAM_SYSTEMS,
                    preset="table2_spectrogram",
                ),
                Row(
                    "Wav2vec branch",
                    70.3,
                    "2.23M",
                    recurrent,
                    _RECURRENT_SYSTEMS,
                    preset="table2_wav2vec",
                ),
                Row(
                    "EmotionNAS",
                    72.8,
                    "2.36M",
                    both,
                    fused,
                    preset="table2_emotionnas",
                ),
            ),
            "The branches are (L = 3, C = 6) of Table 3 and (L = 2, h = 256) "
            f"of Table 4; the fusion adds {perceptron_parameters()}.",
        ),
        PaperTable(
            3,
            "Parameter tuning on the spectrogram branch",
            "Settings",
            tuple(
                Row(
                    f"(L = {cells}, C = {channels})",
                    ua,
                    printed,
                    spectrogram_parameters(cells, channels),
                    _SPECTROGRAM_SYSTEMS,
                    {"num_cells": cells, "num_channels": channels},
                    f"table3_L{cells}_C{channels}",
                )
                for cells, channels, printed, ua in (
                    (3, 4, "0.07M", 58.7),
                    (3, 6, "0.13M", 63.5),
                    (4, 8, "0.35M", 62.3),
                    (8, 16, "1.32M", 62.1),
                )
            ),
            "Counted are the weights of the search network; no derived "
            "network comes near. The fourth row prints the number of L = 6: "
            f"{spectrogram_parameters(6, 16):,} "
            f"({millions(spectrogram_parameters(6, 16))}); L = 8 has "
            f"{millions(spectrogram_parameters(8, 16))}, so 8 is probably a "
            "misprint.",
        ),
        PaperTable(
            4,
            "Parameter tuning on the wav2vec branch",
            "Settings",
            tuple(
                Row(
                    f"(L = {layers}, h = {hidden})",
                    ua,
                    printed,
                    recipe_parameters(layers, hidden),
                    _RECURRENT_SYSTEMS,
                    {"num_layers": layers, "hidden_size": hidden},
                    f"table4_L{layers}_h{hidden}",
                )
                for layers, hidden, printed, ua in (
                    (1, 128, "0.36M", 69.4),
                    (2, 256, "2.23M", 70.3),
                )
            ),
            "The paper does not print its cell. Counted is the built-in "
            "recipe table4, which has the only numbers of matrices (2 for x, "
            "14 for other values) that give both of the paper's; a cell that "
            "a run finds has its own, given beside its UA.",
        ),
    )
