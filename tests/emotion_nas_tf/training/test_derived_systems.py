"""What the training of derived networks checks before it starts."""

import dataclasses

import pytest

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    ProtocolConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.networks.system import SystemInfo, save_info
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.training import derived_systems
from emotion_nas_tf.training.derived_systems import train_fold
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.errors import UsageError

NETWORK = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
TRAIN = DerivedTrainConfig(epochs=1)


class Fresh:
    """One test of a fresh run."""

    def __init__(self, records, run_dir):
        protocol = ProtocolConfig(records, run_dir, (1,), "first")
        self.records = records
        self.manifest, (self.fold,) = open_records(protocol)
        self.directory = RunDirectory(run_dir).test(1, self.fold.test_speaker)

    def train(self, *systems, genotype_path=None):
        train_fold(
            self.records,
            self.manifest,
            self.fold,
            self.directory,
            NETWORK,
            TRAIN,
            systems,
            genotype_path,
        )


@pytest.fixture
def fresh(small_records, tmp_path):
    return Fresh(small_records, tmp_path)


CELLS = random_genotype(5, num_nodes=2)


def write_genotype(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CELLS.to_json())
    return path


def test_no_search_names_the_program_to_run_first(fresh):
    with pytest.raises(UsageError, match=r"`python -m emotion_nas_tf\.search`"):
        fresh.train("retrained")
    assert not fresh.directory.path.exists()


def test_another_genotype_cannot_inherit(fresh, tmp_path):
    path = write_genotype(tmp_path / "mine.json")
    with pytest.raises(UsageError, match="--systems=retrained"):
        fresh.train("inherited", "retrained", genotype_path=path)


def save_search(fresh, **changes):
    """Leaves a finished search behind."""
    write_genotype(fresh.directory.genotype)
    info = SystemInfo(
        system="search",
        network=NETWORK,
        genotype=None,
        label_names=fresh.manifest.label_names,
        spectrogram=SpectrogramConfig(**fresh.manifest.features["spectrogram"]),
        fingerprint=fresh.manifest.fingerprint,
        records=fresh.manifest.digest,
        corpus=fresh.manifest.corpus,
        validation_ua=0.5,
        epoch=1,
        parameters=1,
    )
    save_info(fresh.directory.spectrogram, dataclasses.replace(info, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network": NetworkConfig(3, 4, 2)},
            "has 3 cells and 4 channels; 3 and 2",
        ),
        ({"fingerprint": "f" * 64}, "another front end than the search in"),
        ({"records": "f" * 64}, "other records than those of the search in"),
    ],
)
def test_search_of_other_settings_is_refused(fresh, changes, message):
    save_search(fresh, **changes)
    before = sorted(fresh.directory.path.rglob("*"))
    with pytest.raises(UsageError, match=message):
        fresh.train("inherited")
    assert sorted(fresh.directory.path.rglob("*")) == before


def test_inherited_weights_are_of_the_same_seed(fresh, monkeypatch):
    """Its statistics are measured on batches that the seed has drawn."""
    save_search(fresh)
    write_genotype(fresh.directory.genotype)
    made = []

    def inherit(folder, *rest):
        made.append(folder)
        (folder / "network.json").write_text("{}")

    monkeypatch.setattr(derived_systems, "inherit_system", inherit)
    monkeypatch.setattr(
        derived_systems, "load_final_search_network", lambda *of: None
    )
    fresh.train("inherited")
    fresh.train("inherited")
    assert made == [fresh.directory.system("inherited")]
    claim = made[0] / "config.json"
    claim.write_text(claim.read_text().replace('"seed": 0', '"seed": 7'))
    with pytest.raises(UsageError, match="seed: 7 there, 0 now"):
        fresh.train("inherited")


def test_refused_random_cell_leaves_the_old_one(fresh):
    """Its note must not change when its network does not."""
    folder = fresh.directory.system("random_cell")
    claim_folder(folder, {"seed": 7})
    (folder / "genotype.json").write_text("kept")
    with pytest.raises(UsageError, match="seed: 7 there, 0 now"):
        fresh.train("random_cell")
    assert (folder / "genotype.json").read_text() == "kept"


def test_random_cell_has_the_nodes_of_the_searched_one(fresh, monkeypatch):
    trained = {}

    def note(system, folder, data, manifest, fold, genotype, *rest):
        trained[system] = genotype

    monkeypatch.setattr(derived_systems, "train_system", note)
    write_genotype(fresh.directory.genotype)
    fresh.train("retrained", "random_cell")
    assert trained["retrained"] == CELLS
    first = trained["random_cell"]
    assert first.num_nodes == CELLS.num_nodes
    assert first != CELLS
    # Drawn from seed and test: the same again, and another in another test.
    fresh.train("random_cell")
    assert trained["random_cell"] == first
    other = dataclasses.replace(fresh.fold, test_speaker="b")
    fresh.fold = other
    fresh.train("random_cell")
    assert trained["random_cell"] != first


def test_random_cell_has_all_edges_where_the_found_one_has(fresh, monkeypatch):
    trained = {}

    def note(system, folder, data, manifest, fold, genotype, *rest):
        trained[system] = genotype

    monkeypatch.setattr(derived_systems, "train_system", note)
    fresh.directory.genotype.parent.mkdir(parents=True)
    random_genotype(5, 2, all_edges=True).save(fresh.directory.genotype)
    fresh.train("random_cell")
    assert trained["random_cell"].all_edges
