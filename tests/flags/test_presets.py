"""Flag files: one for every row of the paper that is ours, read by `run`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_nas_tf.reporting.paper import paper_tables

PRESETS = Path(__file__).resolve().parents[2] / "flags/presets"
# For another program.
PRETRAINING = "demo_wav2vec"
ROWS = [
    (table.number, row)
    for table in paper_tables()
    for row in table.rows
    if row.preset
]

# In a process of its own: absl knows every flag of every module ever imported.
_PARSE = """
import json, sys
import emotion_nas_tf.run
from flags import run_flags, streams_flags
from absl import flags
assert "tensorflow" not in sys.modules
parsed = {}
for path in sys.argv[1:]:
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    flags.FLAGS(["run", f"--flagfile={path}"])
    run_flags.run_config(streams_flags.streams())
    parsed[path] = {
        name: flags.FLAGS[name].value
        for name in flags.FLAGS
        if flags.FLAGS[name].present
    }
print(json.dumps(parsed))
"""


@pytest.fixture(scope="module")
def parsed():
    """What `run` makes of each of its flag files, by the file's name."""
    paths = sorted(
        str(path)
        for path in PRESETS.glob("*.flags")
        if path.stem != PRETRAINING
    )
    ended = subprocess.run(
        [sys.executable, "-c", _PARSE, *paths],
        cwd=PRESETS.parents[1],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    return {Path(path).stem: values for path, values in found.items()}


def test_every_row_has_a_file_and_every_file_a_row():
    names = {row.preset for _, row in ROWS} | {"demo", PRETRAINING}
    assert names == {path.stem for path in PRESETS.glob("*.flags")}


@pytest.mark.parametrize(
    ("number", "row"), ROWS, ids=[row.preset for _, row in ROWS]
)
def test_run_reads_it(parsed, number, row):
    values = parsed[row.preset]
    assert values["folds"] == ["1", "2", "3", "4", "5"]
    assert values["run_dir"] == [f"runs/{row.preset}"]
    for name, value in row.size.items():
        assert values[name] == value
    streams = values["streams"]
    assert streams == {
        "table1_emotionnas": ["spectrogram", "recurrent"],
        "table2_emotionnas": ["spectrogram", "recurrent"],
        "table2_wav2vec": ["recurrent"],
    }.get(row.preset, ["recurrent"] if number == 4 else ["spectrogram"])
    if number in (1, 2) and "spectrogram" in streams:
        assert (values["num_cells"], values["num_channels"]) == (3, 6)
    if number in (1, 2) and "recurrent" in streams:
        assert (values["num_layers"], values["hidden_size"]) == (2, 256)


def test_run_reads_the_demo(parsed):
    assert parsed["demo"]["search_epochs"] == 2


_PARSE_PRETRAINING = """
import sys
import tfrecords_builder.pretrain_wav2vec
from flags import pretrain_flags
from absl import flags
flags.FLAGS(["pretrain_wav2vec", f"--flagfile={sys.argv[1]}"])
print(pretrain_flags.pretrain_config().output_dir)
"""


def test_pretraining_reads_the_demo(parsed):
    path = PRESETS / f"{PRETRAINING}.flags"
    output = subprocess.check_output(
        [sys.executable, "-c", _PARSE_PRETRAINING, str(path)],
        cwd=PRESETS.parents[1],
        text=True,
    )
    # What it writes is what the demo's model packs.
    checkpoint = Path(output.strip()) / "wav2vec.npz"
    assert parsed["demo"]["wav2vec_checkpoint"] == str(checkpoint)
