"""The paper's Figures 3 and 4 as files in the run's folder."""

from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from emotion_nas_tf.recurrent.recipe_files import built_in, save_recipe
from emotion_nas_tf.reporting.figures import write_figures
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.errors import UsageError


def test_draws_what_each_stream_found(tmp_path):
    run = RunDirectory(tmp_path)
    both, one = run.test(2, "a"), run.test(2, "b")
    for test in (both, one):
        test.spectrogram.mkdir(parents=True)
        test.genotype.write_text(random_genotype(0).to_json())
    both.recurrent.mkdir()
    save_recipe(built_in("lstm"), both.recipe)
    written = write_figures(run)
    assert [path.name for path in written] == [
        "figure_3_fold_2_test_a.svg",
        "figure_3_fold_2_test_a.png",
        "figure_4_fold_2_test_a.svg",
        "figure_4_fold_2_test_a.png",
        "figure_3_fold_2_test_b.svg",
        "figure_3_fold_2_test_b.png",
    ]
    assert {path.parent for path in written} == {tmp_path / "figures"}
    names = [e.get("id") for e in ElementTree.parse(written[2]).iter()]
    assert "kept.elementwise_prod" in names
    assert imread(written[3]).min() < 0.5


def test_refuses_a_run_without_cells(tmp_path):
    with pytest.raises(UsageError, match="has found no cells yet"):
        write_figures(RunDirectory(tmp_path))


def test_refuses_a_run_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"There is no run in .*nowhere"):
        write_figures(RunDirectory(tmp_path / "nowhere"))
