"""What every test may use."""

import os
from pathlib import Path

import pytest

# The tests must not depend on a GPU, nor print TensorFlow's start-up notices.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Of several test processes each has its share of the cores.
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if _PROCESSES > 1:
    _THREADS = str(max(1, (os.cpu_count() or 1) // _PROCESSES))
    for _name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, _THREADS)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Published fixtures and EmoDB, beside the checkout; not in it."""
    if not SHARED.is_dir():
        pytest.skip(
            f"no folder {SHARED.name} with fixtures beside the checkout"
        )
    return SHARED
