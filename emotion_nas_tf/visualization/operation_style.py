"""Names of edges and operations, and colours, alike in every drawing."""

from emotion_nas_tf.search_space.edges import NUM_INPUTS

CELLS = ("normal", "reduction")
DPI = 100
# What TensorBoard gives an image; a wider one it shrinks by dropping pixels.
CARD_PIXELS = 348

# By the start of an operation's name: what a label says, what the legend says,
# and the colours of the kernels 3x3 and 5x5 (hues of Okabe and Ito, which the
# colour-blind tell apart).
_FAMILIES = {
    "sep_conv": ("sep", "separable convolution", ("#56B4E9", "#0072B2")),
    "dil_conv": (
        "dil",
        "dilated separable convolution",
        ("#F0A860", "#D55E00"),
    ),
    "max_pool": ("max", "max pooling", ("#00805C", "#00805C")),
    "avg_pool": ("avg", "average pooling", ("#7CCBA2", "#7CCBA2")),
    "skip_connect": ("skip", "passes its input on", ("#A6A6A6", "#A6A6A6")),
    "none": ("none", "no connection", ("#E3E3E3", "#E3E3E3")),
}
_OTHER_SHADES = ("#CC79A7", "#CC79A7")
_TIMES = "\N{MULTIPLICATION SIGN}"


def operation_label(operation: str) -> str:
    """`sep_conv_3x3` -> `sep 3x3`; a name nobody foresaw is kept."""
    family, _, _ = operation_family(operation)
    size = operation.rsplit("_", 1)[-1]
    if not size.replace("x", "").isdigit():
        return family
    return f"{family} {size.replace('x', _TIMES)}"


def operation_colour(operation: str) -> str:
    """The fill colour of an operation in every drawing of this project."""
    return operation_family(operation)[2]["5x5" in operation]


def text_colour(fill: str) -> str:
    """Black or white, whichever can be read on `fill` (#RRGGBB)."""
    red, green, blue = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    return "#222222" if luminance > 140 else "white"


def operation_family(
    operation: str,
) -> tuple[str, str, tuple[str, str]]:
    """What a label says, what a legend says, colours of 3x3 and 5x5."""
    for prefix, family in _FAMILIES.items():
        if operation.startswith(prefix):
            return family
    return operation, operation, _OTHER_SHADES


def edge_names(num_edges: int) -> list[str]:
    """`c_{k-2} -> node 0` and so on, in the order of the logits' rows."""
    names: list[str] = []
    node = 0
    while len(names) < num_edges:
        for source in range(NUM_INPUTS + node):
            start = (
                f"$c_{{k-{NUM_INPUTS - source}}}$"
                if source < NUM_INPUTS
                else f"node {source - NUM_INPUTS}"
            )
            names.append(f"{start} \N{RIGHTWARDS ARROW} node {node}")
        node += 1
    return names
