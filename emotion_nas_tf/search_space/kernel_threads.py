"""How the cores of a CPU are shared: parts of a batch first.

Pure Python: no TensorFlow.
"""

# More would take longer to compile than they save.
_MOST_PARTS = 4
# Utterances of which a part needs no cutting.
_SMALL_PART = 4


def equal_parts(batch_size: int) -> int:
    """Into how many equal parts a batch is cut.

    Two keep two cores busy; more of them only where parts would be large.
    """
    most = min(_MOST_PARTS, max(2, batch_size // _SMALL_PART))
    return max(k for k in range(1, most + 1) if batch_size % k == 0)


def kernel_threads(cores: int, batch_size: int) -> int | None:
    """Threads for one operation of a search, beside other parts' operations.

    With more, every operation would wait for cores that another part has, and
    parts would drive each other from the caches. None: as TensorFlow chooses,
    for a batch that is not cut.

    Args:
      cores: that the search may use.
      batch_size: utterances in memory at a time.
    """
    parts = equal_parts(batch_size)
    return max(1, cores // parts) if parts > 1 else None
