"""The registry of systems and where each lies."""

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SPECTROGRAM, SYSTEMS, systems_of


def test_spectrogram_systems_lie_where_they_always_did(tmp_path):
    test = RunDirectory(tmp_path).test(2, "08")
    folder = tmp_path / "fold_2" / "test_08" / "spectrogram"
    assert systems_of(SPECTROGRAM) == (
        "search",
        "inherited",
        "retrained",
        "random_cell",
    )
    assert test.info("search") == folder / "network.json"
    for name in ("inherited", "retrained", "random_cell"):
        assert test.info(name) == folder / name / "network.json"


def test_every_system_has_a_folder_of_its_own(tmp_path):
    test = RunDirectory(tmp_path).test(2, "08")
    folders = {test.system(name) for name in SYSTEMS}
    assert len(folders) == len(SYSTEMS)
    assert test.system("lstm") == test.recurrent / "lstm"


def test_partial_channels_inherit_nothing():
    assert "inherited" in NetworkConfig().systems
    assert "inherited" not in NetworkConfig(partial_channels=2).systems
