"""Frames averaged in groups, as the paper does to wav2vec's (section 3.2).

    2,911 frames, by 4 -> 727 and a remainder of 3, which is dropped

Pure NumPy.
"""

import numpy as np


def pool(frames: np.ndarray, pool_frames: int) -> np.ndarray:
    """Averages groups of frames; the last one is filled up with zeros.

    So it is when the utterance is zero-padded first and averaged then, which
    would store the padding.

    Args:
      frames: (n, size) float32.
      pool_frames: frames of a group.

    Returns:
      (ceil(n / pool_frames), size) float32.
    """
    num_groups = -(-len(frames) // pool_frames)
    padding = num_groups * pool_frames - len(frames)
    padded = np.pad(frames, ((0, padding), (0, 0)))
    groups = padded.reshape(num_groups, pool_frames, frames.shape[1])
    return groups.mean(1, dtype=np.float32)


def num_pooled(longest: int, pool_frames: int) -> int:
    """Averaged frames of records whose longest utterance has `longest`.

    The remainder is dropped, as in the paper; one is left at least.
    """
    return max(1, longest // pool_frames)
