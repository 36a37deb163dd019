"""What every test may use."""

import os
from pathlib import Path

# The tests must not depend on a GPU, nor print TensorFlow's start-up notices.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Published fixtures and EmoDB, beside the checkout; not in it."""
    if not SHARED.is_dir():
        pytest.skip(
            f"no folder {SHARED.name} with fixtures beside the checkout"
        )
    return SHARED
