"""Threads of the search: for parts of a batch first, then for an operation.

Pure Python: no TensorFlow.
"""

# Parts of a batch; more would take longer to compile than they save.
MOST_PARTS = 4


def kernel_threads(cores: int) -> int:
    """Threads for one operation of a search, beside other parts' operations.

    With more, every operation would wait for cores that another part has, and
    parts would drive each other from the caches.
    """
    return max(1, cores // MOST_PARTS)
