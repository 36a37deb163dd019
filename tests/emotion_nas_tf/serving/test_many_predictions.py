"""The program `predict`, on several files and into a table."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from serving_data import LABELS, RATE, voice

from emotion_nas_tf.config import PredictConfig
from emotion_nas_tf.serving import many_predictions
from emotion_nas_tf.serving.predictor import Predictor
from emotion_nas_tf.serving.recordings import find_recordings

ROOT = Path(__file__).resolve().parents[3]


def run_predict(model, *arguments):
    return subprocess.run(
        [
            *(sys.executable, "-m", "emotion_nas_tf.predict"),
            *(f"--model={model}", *map(str, arguments)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_predict_names_broken_files_and_predicts_the_others(
    exported, clips, tmp_path
):
    text = tmp_path / "notes.wav"
    text.write_text("I am no audio.\n" * 40)
    process = run_predict(exported.path, "--json", clips[0], text, clips[1])
    assert process.returncode == 1
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["path"] for line in lines] == [str(c) for c in clips[:2]]
    assert sum(lines[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert "notes.wav" in process.stderr
    assert f"Note: {clips[0]}: it lasts 9.5 s" in process.stderr
    assert "1 of 3 files could not be predicted" in process.stderr
    assert "Traceback" not in process.stderr


def test_predict_writes_a_table_and_goes_on_with_it(exported, tmp_path):
    audio = tmp_path / "audio"
    audio.mkdir()
    for i in range(3):
        soundfile.write(audio / f"{i}.wav", voice(0.2 + i / 10), RATE)
    (audio / "10.wav").touch()
    output = tmp_path / "out" / "all.csv"
    process = run_predict(exported.path, audio, f"--output={output}")
    assert process.returncode == 1, process.stderr
    assert "1 of 4 files could not be predicted" in process.stderr
    assert "4 rows, 4 of them new (4 files, " in process.stdout
    assert "times faster than real time" in process.stdout
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == [
        *("0.wav", "1.wav", "2.wav", "10.wav")
    ]
    assert "10.wav: the file has 0 bytes" in rows[3]["error"]
    predictor = Predictor(exported.path)
    for row in rows[:3]:
        alone = predictor.predict(row["path"])
        assert row["predicted"] == alone.label
        for name, value in alone.probabilities.items():
            assert float(row[f"p_{name}"]) == pytest.approx(value, abs=2e-6)
    assert [float(row["seconds"]) for row in rows[:3]] == [0.2, 0.3, 0.4]

    # Killed while it wrote the second row; one file changed, one mended.
    lines = output.read_text("utf-8").splitlines(keepends=True)
    lines[1] = lines[1].replace(rows[0]["predicted"], "KEPT", 1)
    lines[3] = lines[3].replace(rows[2]["predicted"], "CHANGED", 1)
    output.write_text("".join([*lines[:2], lines[3], lines[2][:-9]]), "utf-8")
    soundfile.write(audio / "2.wav", voice(0.6), RATE)
    soundfile.write(audio / "10.wav", voice(0.7), RATE)
    config = PredictConfig(exported.path, output=output)
    recordings = find_recordings([str(audio)])
    assert many_predictions.write_table(predictor, recordings, config) == 0
    with output.open(encoding="utf-8", newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["path"] for row in again] == [row["path"] for row in rows]
    assert again[0]["predicted"] == "KEPT"
    assert again[1] == rows[1]
    assert again[2]["predicted"] in LABELS
    assert (again[2]["seconds"], again[3]["seconds"]) == ("0.600", "0.700")
    assert again[3]["error"] == ""
