"""What `export` refuses."""

import json

from programs import assert_refused, start

from emotion_nas_tf.run_directory import RunDirectory


def test_a_run_from_before_is_to_be_trained_again(tmp_path):
    """Its networks do not say on which records they were trained."""
    path = RunDirectory(tmp_path).test(2, "08").info("retrained")
    path.parent.mkdir(parents=True)
    fields = {
        "system": "retrained",
        "network": {"num_cells": 3, "num_channels": 6, "num_nodes": 4},
        "genotype": None,
        "label_names": ["angry", "sad"],
        "spectrogram": {},
        "fingerprint": "1f",
        "corpus": "emodb",
        "validation_ua": 0.5,
        "epoch": 1,
        "parameters": 10,
        "schema_version": 1,
    }
    path.write_text(json.dumps(fields))
    process = start("export", "--fold=2", f"--run_dir={tmp_path}")
    assert_refused(
        process,
        f"{path} was written by another release of this program (records). "
        "Use that release, or remove the file: `python -m "
        "emotion_nas_tf.train` with the same --run_dir and --fold makes it "
        "anew.",
    )
