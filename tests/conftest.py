"""What every test may use."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


@pytest.fixture
def other_flags() -> list[str]:
    """Flags that other programs require, where a test has imported them."""
    from absl import flags

    return [
        f"--{name}=synthetic"
        for name in ("corpus", "audio_dir")
        if name in flags.FLAGS
    ]


@pytest.fixture
def parsed_flags(other_flags) -> Callable[..., AbstractContextManager]:
    """Gives flags a command line's values: `with parsed_flags("--a=b"):`."""
    from absl import flags
    from absl.testing import flagsaver

    @contextmanager
    def parse(*arguments: str) -> Iterator[None]:
        with flagsaver.flagsaver():
            flags.FLAGS(["program", *other_flags, *arguments])
            yield

    return parse
