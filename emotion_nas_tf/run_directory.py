"""Where the parts of a run lie on disk.

    runs/NAME/                  config.json  results.json  report.html
      fold_2/test_08/           predictions.csv  metrics.json  model/
        spectrogram/            genotype.json  history.csv  checkpoints/
          inherited/ retrained/ random_cell/
        recurrent/              recipe.json
          recipe/ random_recipe/ lstm/ gru/
        fusion/                 fusion/ fusion_mean/ ...  cross_fit/

A fold has one folder per test speaker, because the validation speaker, on
which alpha is trained, changes with the direction.
"""

from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.systems import FUSION, RECURRENT, SPECTROGRAM, SYSTEMS
from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import natural_key

INFO_NAME = "network.json"
GENOTYPE_NAME = "genotype.json"
RECIPE_NAME = "recipe.json"


@dataclass(frozen=True)
class FoldDirectory:
    """The folder of one test: one fold in one direction."""

    path: Path

    @property
    def fold(self) -> int:
        """The fold's number."""
        return int(self.path.parent.name.removeprefix("fold_"))

    @property
    def test_speaker(self) -> str:
        """Who is tested."""
        return self.path.name.removeprefix("test_")

    @property
    def spectrogram(self) -> Path:
        """The folder of the search of convolutional cells."""
        return self.path / SPECTROGRAM

    @property
    def recurrent(self) -> Path:
        """The folder of the search of recurrent cells."""
        return self.path / RECURRENT

    @property
    def fusion(self) -> Path:
        """The folder of what joins the streams."""
        return self.path / FUSION

    def system(self, name: str) -> Path:
        """The folder of one of `systems.SYSTEMS`."""
        # A search network lies where its search does.
        if name == "search":
            return self.spectrogram
        return self.path / SYSTEMS[name].stream / name

    def info(self, name: str) -> Path:
        """What a system is; there once it has been trained to its end."""
        return self.system(name) / INFO_NAME

    @property
    def genotype(self) -> Path:
        """The convolutional cells that the search found."""
        return self.spectrogram / GENOTYPE_NAME

    @property
    def recipe(self) -> Path:
        """The recurrent cell that the search found."""
        return self.recurrent / RECIPE_NAME

    @property
    def predictions(self) -> Path:
        """Every test utterance, with every system's probabilities."""
        return self.path / "predictions.csv"

    @property
    def metrics(self) -> Path:
        """UA, WA, macro F1, recalls and confusion matrix of every system."""
        return self.path / "metrics.json"

    @property
    def model(self) -> Path:
        """The exported SavedModel."""
        return self.path / "model"


@dataclass(frozen=True)
class RunDirectory:
    """The folder of a run."""

    path: Path

    def check_exists(self) -> None:
        """Refuses a folder that is not there.

        Raises:
          UsageError: when there is no run.
        """
        if not self.path.is_dir():
            raise UsageError(
                f"There is no run in {self.path}. `python -m "
                "emotion_nas_tf.run` makes one; --run_dir names it."
            )

    def test(self, fold: int, test_speaker: str) -> FoldDirectory:
        """The folder of fold `fold` tested on `test_speaker`."""
        return FoldDirectory(
            self.path / f"fold_{fold}" / f"test_{test_speaker}"
        )

    def tests(self) -> list[FoldDirectory]:
        """The tests that are there, by fold and speaker."""
        return [
            FoldDirectory(path)
            for path in sorted(
                self.path.glob("fold_*/test_*"),
                key=lambda path: natural_key(f"{path.parent.name} {path.name}"),
            )
            if path.parent.name.removeprefix("fold_").isdigit()
        ]

    @property
    def config(self) -> Path:
        """The configuration, to repeat the run."""
        return self.path / "config.json"

    @property
    def results(self) -> Path:
        """Metrics of every test that has been evaluated, and their summary."""
        return self.path / "results.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"
