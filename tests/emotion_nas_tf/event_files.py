"""What TensorBoard would show of a folder, imported by name."""

from collections import defaultdict

import tensorflow as tf


def read_events(folder):
    """{tag: {step: value}} of the event files of a folder, not below it."""
    found = defaultdict(dict)
    for path in sorted(folder.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found[value.tag][event.step] = tf.make_ndarray(value.tensor)
    return found


def read_text(value):
    """The text of a summary, without what makes it a code block."""
    (content,) = value.ravel()
    lines = content.decode().splitlines()
    assert all(line.startswith(" " * 4) for line in lines)
    return "\n".join(line[4:] for line in lines)
