"""What TensorFlow says of a failing disk, in words for a person."""

import re

import tensorflow as tf

# A name of a function that wraps the operation, and the operation's.
_INTERNALS = re.compile(r"\{\{.*?\}\} ?| ?\[Op:\w+\]")


def reason(error: tf.errors.OpError | OSError) -> str:
    """Why a file could not be written or read: one line."""
    text = getattr(error, "message", None) or getattr(error, "strerror", None)
    lines = _INTERNALS.sub("", text or str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
