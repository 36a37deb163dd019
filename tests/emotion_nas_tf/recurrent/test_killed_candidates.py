"""A candidate search that is killed, with processes of its own."""

import json
import os
import signal
import subprocess
import sys

from processes import is_running, wait_until
from programs import ROOT

# Two workers in processes of their own; the search is killed at the moment of
# an append: before it or within it.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from emotion_nas_tf.config import CandidateSearchConfig
from emotion_nas_tf.recurrent import candidates, ledger
from emotion_nas_tf.recurrent.pool import first_candidates
from emotion_nas_tf.recurrent.trial import Outcome

folder, count, moment = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
append = ledger.Ledger.append

def dying(self, evaluation):
    global count
    count -= 1
    if count:
        append(self, evaluation)
    elif moment == "within":
        self._file.write(b'{"digest": "12')
        self._file.flush()
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)

ledger.Ledger.append = dying

def evaluate(trial):
    (folder / f"worker-{os.getpid()}").touch()
    time.sleep(0.05)
    number = int(trial.candidate.digest[:6], 16) / trial.epochs
    return Outcome(number, 0.5, 1)

config = CandidateSearchConfig(
    num_candidates=8, pool_size=8, rung_epochs=(1, 2, 4), eta=2, num_workers=2
)
first = first_candidates(config)
settings = candidates.search_settings(config, first, {})
best = candidates.search_candidates(
    first, evaluate, config, folder, settings, lambda line: None
)[0]
print(best.digest, best.validation_loss)
"""


def ledger(folder):
    lines = (folder / "candidates.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def start(folder, count=0, moment="never"):
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(count), moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_killed_search_goes_on_to_the_same_winner(tmp_path):
    killed = tmp_path / "killed"
    for count, moment in ((3, "within"), (5, "before")):
        assert start(killed, count, moment).returncode == -signal.SIGKILL
    resumed, whole = start(killed), start(tmp_path / "whole")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout
    rows = ledger(killed)
    # Every evaluation is there once.
    assert len(rows) == len({(row["digest"], row["rung"]) for row in rows})
    assert len(rows) == len(ledger(tmp_path / "whole")) == 8 + 4 + 2
    # Workers do not outlive the search that was killed.
    workers = [int(p.name[7:]) for p in killed.glob("worker-*")]
    assert len(workers) >= 4
    wait_until(lambda: not any(map(is_running, workers)), seconds=20)
