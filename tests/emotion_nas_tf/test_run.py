"""What `run` decides and says; `make demo` runs it."""

import os
import shutil
import sys
from types import SimpleNamespace

import pytest

from emotion_nas_tf import run
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype


@pytest.fixture
def directory(tmp_path):
    """A test's folder."""
    directory = RunDirectory(tmp_path).test(2, "08")
    directory.spectrogram.mkdir(parents=True)
    return directory


def test_the_end_says_what_was_found_and_how_to_go_on(directory, capsys):
    genotype = random_genotype(0)
    directory.genotype.write_text(genotype.to_json())

    def metrics(ua):
        recalls = {"angry": ua, "sad": ua}
        numbers = {"ua": ua, "wa": ua, "macro_f1": ua, "num_examples": 8}
        return {**numbers, "recalls": recalls}

    measured = {
        "label_names": ["angry", "sad"],
        "chance": 0.5,
        "tests": [
            {
                "fold": 2,
                "test_speaker": speaker,
                "systems": {"search": metrics(0.1), "retrained": metrics(ua)},
            }
            for speaker, ua in (("03", 0.25), ("08", 0.875))
        ],
        "summary": {},
        "comparisons": [],
    }
    runs = RunDirectory(directory.path.parents[1])
    folds = [SimpleNamespace(number=2, test_speaker=s) for s in ("03", "08")]
    run._print_end(runs, folds, measured, runs.report, "retrained")

    text = capsys.readouterr().out
    assert genotype.to_text() in text
    assert str(runs.report) in text
    assert (
        "Unseen speaker 08: UA 87.5 % by the exported retrained, chance 50.0 %"
    ) in text
    assert f"SavedModel:  {directory.model}\n" in text
    *_, board, predict = text.splitlines()
    assert board.endswith(f" -m tensorboard.main --logdir={runs.path}")
    assert predict.endswith(
        f" -m emotion_nas_tf.predict --model={directory.model} YOUR.wav"
    )
    # As typed from here, the commands start this very Python.
    python = shutil.which(board.split()[0])
    assert os.path.samefile(python, sys.executable)
