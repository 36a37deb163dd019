"""One step on two devices is one step on one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_nas_tf.training.replicas import check_equal_parts
from tfrecords_builder.errors import UsageError

PROGRAM = Path(__file__).with_name("two_replicas.py")


def test_two_replicas_make_the_step_of_one():
    process = subprocess.run(
        [sys.executable, PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.returncode == 0, process.stderr[-3000:]
    result = json.loads(process.stdout.splitlines()[-1])
    assert result.pop("replicas") == 2
    assert result.pop("restored") == 0.0
    # One more evaluated utterance than two replicas can share.
    assert 0 < result.pop("evaluated") < 10
    # Weights, alphas, running statistics, optimisers, losses and UA: with
    # batch normalisation, as two micro-batches on one device.
    assert len(result) == 12
    for name, difference in result.items():
        assert difference < 1e-9, name


def test_unequal_parts_are_refused():
    check_equal_parts([16, 8], 4)
    with pytest.raises(UsageError, match="multiple of 4 and no larger"):
        check_equal_parts([16, 6], 4)
