"""The paper's Figures 3 and 4, of the cells that a run has found.

runs/NAME/figures/figure_3_fold_2_test_08.svg, .png     spectrogram stream
runs/NAME/figures/figure_4_fold_2_test_08.svg, .png     recurrent stream
"""

from pathlib import Path

from matplotlib.figure import Figure

from emotion_nas_tf.recurrent.recipe_files import load_recipe
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import load_genotype
from emotion_nas_tf.visualization.cell_graph import draw_genotype
from emotion_nas_tf.visualization.figure_files import save_figure
from emotion_nas_tf.visualization.recipe_graph import draw_recipe
from tfrecords_builder.errors import UsageError

ENDINGS = (".svg", ".png")


def write_figures(run_directory: RunDirectory) -> list[Path]:
    """Draws every test's found cells.

    Returns:
      The files, in the run's folder `figures`.

    Raises:
      UsageError: when there is no run, or no search of it has ended.
    """
    run_directory.check_exists()
    written: list[Path] = []
    folder = run_directory.path / "figures"
    for test in run_directory.tests():
        name = f"fold_{test.fold}_test_{test.test_speaker}"
        title = f"fold {test.fold}, test speaker {test.test_speaker}"
        figures: dict[int, Figure] = {}
        if test.genotype.is_file():
            genotype = load_genotype(test.genotype)
            figures[3] = draw_genotype(genotype, title)
        if test.recipe.is_file():
            recipe = load_recipe(test.recipe)
            figures[4] = draw_recipe(recipe, title)
        for number, figure in figures.items():
            folder.mkdir(exist_ok=True)
            for ending in ENDINGS:
                path = folder / f"figure_{number}_{name}{ending}"
                save_figure(figure, path)
                written.append(path)
    if not written:
        raise UsageError(
            f"The run {run_directory.path} has found no cells yet. `python -m "
            f"emotion_nas_tf.search --run_dir={run_directory.path} "
            "--fold=NUMBER` searches for them."
        )
    return written
