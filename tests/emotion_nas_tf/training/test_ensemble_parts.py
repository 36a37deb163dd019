"""What runs share and what is refused, with networks that are but files."""

import dataclasses
import json
import shutil

import pytest

from emotion_nas_tf import ensemble
from emotion_nas_tf.config import NetworkConfig, RecurrentConfig
from emotion_nas_tf.networks.baselines.info import (
    ComparatorInfo,
    save_comparator_info,
)
from emotion_nas_tf.networks.members import members_of
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    SystemInfo,
    load_info,
    save_info,
)
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.recurrent.system import RecurrentInfo, save_recurrent_info
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM, SYSTEMS
from emotion_nas_tf.training.ensembling import make_ensemble
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.config import SequenceConfig, spectrogram_preset
from tfrecords_builder.errors import UsageError

_KNOWN = {
    "label_names": ("angry", "sad"),
    "fingerprint": "front end",
    "records": "records",
    "corpus": "toy",
    "validation_ua": 0.5,
    "epoch": 3,
    "parameters": 100,
}
SPECTROGRAM_INFO = SystemInfo(
    system="",
    network=NetworkConfig(),
    genotype=random_genotype(0),
    spectrogram=spectrogram_preset(),
    **_KNOWN,
)
RECURRENT_INFO = RecurrentInfo(
    system="",
    network=RecurrentConfig(),
    recipe=built_in("gru"),
    sequence=SequenceConfig("logmel", "", "", "", 5, 4),
    features="logmel",
    validation_loss=1.0,
    **_KNOWN,
)
COMPARATOR_INFO = ComparatorInfo(
    system="", settings={"shares": [0.5, 0.5]}, **_KNOWN
)


def write(run, fold, system, **changes):
    """A trained system of the test of speaker 08."""
    folder = run.test(fold, "08").system(system)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_NAME).write_text(f"{run.path.name} {system}")
    stream = SYSTEMS[system].stream
    info, save = {
        SPECTROGRAM: (SPECTROGRAM_INFO, save_info),
        RECURRENT: (RECURRENT_INFO, save_recurrent_info),
    }.get(stream, (COMPARATOR_INFO, save_comparator_info))
    save(folder, dataclasses.replace(info, system=system, **changes))
    return folder


@pytest.fixture
def runs(tmp_path):
    """Two runs of one test with `retrained` and `gru`."""
    found = [RunDirectory(tmp_path / name) for name in ("one", "two")]
    for run in found:
        write(run, 2, "retrained")
        write(run, 2, "gru")
    return found


@pytest.fixture
def make(runs, tmp_path):
    def make(*systems):
        return make_ensemble(
            [run.path for run in runs], tmp_path / "both", systems
        )

    return make


def made(shared):
    return [(part.directory.fold, part.system) for part in shared.parts]


def test_what_every_run_has_is_made_and_the_rest_is_named(runs, make, tmp_path):
    one, two = runs
    write(one, 2, "lstm")
    write(two, 3, "gru")
    for run in runs:
        write(run, 4, "search")
        # A fusion is fitted anew, never averaged.
        folder = run.test(2, "08").system("fusion")
        folder.mkdir(parents=True)
        run.test(2, "08").info("fusion").write_text("{}")
    shared = make()
    assert made(shared) == [(2, "retrained"), (2, "gru"), (4, "search")]
    assert shared.left_out == (
        "fold 3, test speaker 08, not in every run",
        "lstm of fold 2, test speaker 08, not in every run",
    )
    both = RunDirectory(tmp_path / "both")
    assert not both.test(3, "08").path.exists()
    assert not both.test(2, "08").fusion.exists()
    weights = [
        (member / WEIGHTS_NAME).read_text()
        for member in members_of(both.test(4, "08").spectrogram)
    ]
    assert weights == ["one search", "two search"]
    assert load_info(both.test(4, "08"), "search").parameters == 200


def test_named_systems_alone_are_made_and_others_added_later(make):
    assert made(make("gru")) == [(2, "gru")]
    assert made(make("retrained")) == [(2, "retrained")]


def test_the_program_says_what_it_made_and_how_to_go_on(
    runs, tmp_path, monkeypatch, capsys, parsed_flags
):
    write(runs[0], 2, "lstm")
    path = tmp_path / "both"
    words = [f"--run_dirs={runs[0].path},{runs[1].path}", f"--run_dir={path}"]
    monkeypatch.setattr("sys.argv", ["ensemble", *words])
    monkeypatch.setattr(ensemble.program, "load_tensorflow", lambda: None)
    with parsed_flags(*words):
        ensemble.main([])
    assert capsys.readouterr().out.splitlines() == [
        f"{path}/fold_2/test_08: retrained, gru",
        "Left out: lstm of fold 2, test speaker 08, not in every run.",
        f"python -m emotion_nas_tf.evaluate --run_dir={path} --folds=2, with "
        "the runs' --records_dir and --test_speaker, tests it.",
    ]
    noted = json.loads((path / "config.json").read_text())
    assert noted["command"].startswith("python -m emotion_nas_tf.ensemble --r")


def test_opensmile_brings_its_features_and_differing_ones_stay_away(
    runs, make, tmp_path
):
    for run in runs:
        folder = write(run, 2, "opensmile_svm")
        (folder / "machine.npz").write_text("planes")
        kept = run.path / "opensmile/ComParE/ab"
        kept.mkdir(parents=True)
        (kept / "abc.npy").write_text("numbers")
    write(runs[0], 2, "majority")
    write(runs[1], 2, "majority", settings={"shares": [0.4, 0.6]})
    shared = make()
    assert made(shared)[-1] == (2, "opensmile_svm")
    assert shared.left_out == (
        "majority of fold 2, test speaker 08, not the same in all",
    )
    both = RunDirectory(tmp_path / "both")
    folder = both.test(2, "08").system("opensmile_svm")
    assert (folder / "machine.npz").read_text() == "planes"
    copy = both.path / "opensmile/ComParE/ab/abc.npy"
    assert copy.read_text() == "numbers"
    with pytest.raises(UsageError, match=r"majority .* not the same in every"):
        make("majority")


@pytest.mark.parametrize(
    ("system", "changes", "message"),
    [
        ("retrained", {"records": "others"}, "records others there, records"),
        ("gru", {"records": "others"}, "records others there, records"),
        ("retrained", {"fingerprint": "mel"}, "features mel there, features f"),
        ("gru", {"label_names": ("a", "b")}, "classes a, b there, classes ang"),
        (
            "gru",
            {"network": RecurrentConfig(masked=False)},
            "--masked False there, --masked True here",
        ),
        (
            "retrained",
            {"network": NetworkConfig(8, 16, relaxation="sigmoid")},
            "--num_cells 8; --num_channels 16 there, --num_cells 3; --num_ch",
        ),
        (
            "gru",
            {"network": RecurrentConfig(hidden_size=8)},
            "--hidden_size 8 there, --hidden_size 256 here",
        ),
    ],
)
def test_networks_that_cannot_answer_together_are_refused(
    runs, make, tmp_path, system, changes, message
):
    write(runs[1], 2, system, **changes)
    with pytest.raises(UsageError, match=rf"two/fold_2.*{message}"):
        make()
    assert not (tmp_path / "both").exists()


def test_streams_of_different_records_are_refused(runs, make):
    for run in runs:
        write(run, 2, "gru", records="others")
    with pytest.raises(UsageError, match=r"gru and .*retrained are of differ"):
        make()


def test_a_missing_system_is_named_with_its_run_and_fold(runs, make):
    write(runs[0], 2, "lstm")
    with pytest.raises(
        UsageError, match="two does not hold the system lstm of fold 2, test"
    ):
        make("gru", "lstm")


def test_runs_without_a_common_test_or_system(runs, make):
    shutil.rmtree(runs[1].test(2, "08").path)
    with pytest.raises(UsageError, match=r"one has fold 2.*two has no test"):
        make()
    write(runs[1], 2, "lstm")
    with pytest.raises(UsageError, match="no trained system in common"):
        make()
    shutil.rmtree(runs[1].path)
    with pytest.raises(UsageError, match="There is no run in"):
        make()


def test_weights_that_were_deleted_are_missed(runs, make):
    (runs[1].test(2, "08").system("gru") / WEIGHTS_NAME).unlink()
    with pytest.raises(UsageError, match=r"two.*weights\.h5 is missing"):
        make()


def test_searches_of_different_settings_answer_together(runs, make):
    network = NetworkConfig(relaxation="sigmoid", partial_channels=2)
    write(runs[1], 2, "retrained", network=network)
    assert made(make()) == [(2, "retrained"), (2, "gru")]


def test_what_is_no_longer_shared_is_removed(runs, make, tmp_path):
    for run in runs:
        write(run, 2, "majority")
        write(run, 3, "search")
        write(run, 3, "retrained")
        write(run, 4, "gru")
    make()
    both = RunDirectory(tmp_path / "both")
    test = both.test(3, "08")
    test.genotype.write_text("of the search")
    (both.test(2, "08").path / "metrics.json").write_text("{}")
    runs[1].test(2, "08").info("gru").unlink()
    runs[0].test(3, "08").info("search").unlink()
    shutil.rmtree(runs[0].test(4, "08").path)
    write(runs[0], 2, "majority", settings={"shares": [0.4, 0.6]})
    # Whoever names systems says nothing of the others.
    assert made(make("retrained")) == [(2, "retrained"), (3, "retrained")]
    assert both.test(4, "08").info("gru").is_file()
    assert made(make()) == [(2, "retrained"), (3, "retrained")]
    assert [each.fold for each in both.tests()] == [2, 3]
    for fold, system in ((2, "gru"), (2, "majority"), (3, "search")):
        folder = both.test(fold, "08").system(system)
        assert not (folder / "network.json").exists()
        assert not members_of(folder)
    assert len(members_of(test.system("retrained"))) == 2


def test_a_network_trained_into_an_ensemble_is_not_removed(
    runs, make, tmp_path
):
    for run in runs:
        write(run, 3, "gru")
    make()
    folder = write(RunDirectory(tmp_path / "both"), 3, "lstm")
    shutil.rmtree(runs[0].test(3, "08").path)
    with pytest.raises(UsageError, match=r"fold_3.*lstm holds a network that"):
        make()
    assert (folder / WEIGHTS_NAME).is_file()
    assert len(members_of(folder.with_name("gru"))) == 2


def test_an_ensemble_is_no_member(runs, make, tmp_path):
    make()
    with pytest.raises(UsageError, match="is an ensemble itself"):
        make_ensemble([tmp_path / "both", runs[0].path], tmp_path / "more")


def test_another_runs_folder_is_left_alone(runs, make, tmp_path):
    both = RunDirectory(tmp_path / "both")
    # Programs called one by one leave no settings of the run.
    write(both, 3, "lstm")
    before = sorted(both.path.rglob("*"))
    with pytest.raises(UsageError, match=r"both is another run"):
        make()
    assert sorted(both.path.rglob("*")) == before
    shutil.rmtree(both.path)
    make()
    folder = both.test(2, "08").system("gru")
    for member in members_of(folder):
        shutil.rmtree(member)
    write(both, 2, "gru")
    with pytest.raises(UsageError, match="is no ensemble: it would be lost"):
        make()
    assert (folder / WEIGHTS_NAME).read_text() == "both gru"
    shutil.rmtree(both.path)
    claim_folder(both.path, {"seed": 17})
    with pytest.raises(UsageError, match="holds work of other settings"):
        make()
    shutil.rmtree(both.path)
    make()
    with pytest.raises(UsageError, match=r"work of other settings \(run_dirs"):
        make_ensemble([run.path for run in runs[::-1]], both.path)
    # Nor does a training go on in an ensemble's folder.
    with pytest.raises(UsageError, match="program: ensemble there, train now"):
        claim_folder(both.test(2, "08").system("gru"), {"program": "train"})
