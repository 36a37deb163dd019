"""What the names in a recipe mean. Pure Python: no TensorFlow."""

import re

INPUT = "x"
OUTPUT = "h_new_0"

_PREVIOUS = re.compile(r"h_prev_(0|[1-9][0-9]*)")
_NEW = re.compile(r"h_new_(0|[1-9][0-9]*)")


def previous_state(name: str) -> int | None:
    """The number of a hidden state of the step before; None for others."""
    return _number(_PREVIOUS, name)


def new_state(name: str) -> int | None:
    """The number of a hidden state handed on; None for others.

    `h_new_1_part`, a node of the benchmark's LSTM, is none.
    """
    return _number(_NEW, name)


def _number(pattern: re.Pattern, name: str) -> int | None:
    match = pattern.fullmatch(name)
    return int(match[1]) if match else None
