"""The search of a recurrent cell among candidates.

    pool -> first candidates -> rung, rung, rung -> the best
                                    ^                  |
                                    +--- mutations ----+   (generations)

Knows nothing of how a candidate is trained: an `Evaluator` does. Every
evaluation is in the ledger as soon as it is done, and what is there is not
done again. Pure Python.
"""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_nas_tf.config import CandidateSearchConfig, as_json
from emotion_nas_tf.recurrent.halving import (
    check_rungs,
    planned_epochs,
    survivors,
)
from emotion_nas_tf.recurrent.ledger import (
    OK,
    Evaluation,
    Ledger,
    standing,
    write_table,
)
from emotion_nas_tf.recurrent.parallel import (
    Map,
    check_backend,
    parallel_workers,
)
from emotion_nas_tf.recurrent.pool import (
    Candidate,
    first_candidates,
    mutations_of,
)
from emotion_nas_tf.recurrent.progress import CandidateProgress, describe
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.trial import Evaluator, Trial, evaluate
from tfrecords_builder.errors import WorkError

# In the search's folder: a folder a candidate that is still in the race.
CANDIDATES_NAME = "candidates"


def check_search(config: CandidateSearchConfig) -> list[Candidate]:
    """Refuses what can be seen to fail before anything is trained.

    Returns:
      Whom the search begins with.

    Raises:
      UsageError: when the rungs, the backend, the files or the number of
        candidates are not possible.
    """
    check_rungs(config.rung_epochs, config.eta)
    check_backend(config.parallel_backend)
    return first_candidates(config)


def search_settings(
    config: CandidateSearchConfig,
    candidates: Sequence[Candidate],
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """All that decides the result of a search, as JSON values.

    Args:
      config: how candidates are chosen.
      candidates: of the first rung.
      training: what decides the outcome of a trial.
    """
    return {
        **training,
        **{f"candidates_{name}": v for name, v in as_json(config).items()},
        "candidates_sha256": candidates_digest(candidates),
    }


def candidates_digest(candidates: Sequence[Candidate]) -> str:
    """SHA-256 of which cells they are."""
    digests = json.dumps([each.digest for each in candidates])
    return hashlib.sha256(digests.encode()).hexdigest()


def fingerprint(settings: Mapping[str, Any]) -> str:
    """16 hex digits of settings."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def search_candidates(
    candidates: Sequence[Candidate],
    evaluator: Evaluator,
    config: CandidateSearchConfig,
    folder: Path,
    settings: Mapping[str, Any],
    say: Callable[[str], None],
    seed: int = 0,
    watch: Callable[[list[Evaluation]], None] = lambda evaluations: None,
    prepare: Callable[[], None] = lambda: None,
) -> list[Evaluation]:
    """Finds the best candidate; goes on after a kill.

    Args:
      candidates: of the first rung, all different.
      evaluator: trains one; it must pickle.
      config: rungs, generations, workers.
      folder: of the ledger; made when it is not there.
      settings: see `search_settings`.
      say: takes lines of progress.
      seed: of every training.
      watch: called after an evaluation, with all so far.
      prepare: called in every process of its own before its first trial.

    Returns:
      The last evaluation of every candidate, the winner's first.

    Raises:
      UsageError: when the rungs or the backend are not possible, another
        search is at work in the folder, or it is of other settings.
      WorkError: when no candidate could be trained.
    """
    check_rungs(config.rung_epochs, config.eta)
    check_backend(config.parallel_backend)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        Ledger(folder, fingerprint(settings)) as ledger,
        parallel_workers(
            config.num_workers, config.parallel_backend, prepare
        ) as run,
    ):
        rounds = [len(candidates), *[config.mutations] * config.generations]
        epochs = sum(
            planned_epochs(number, config.rung_epochs, config.eta)
            for number in rounds
        )
        progress = CandidateProgress(epochs, say)
        race = _Race(evaluator, config, run, ledger, progress, seed, watch)
        race.run(candidates)
        for generation in range(1, config.generations + 1):
            best = race.standing()[0]
            parent = Candidate(best.name, Recipe.from_mapping(best.recipe))
            race.run(mutations_of(parent, generation, config, race.known))
        write_table(folder, race.standing())
    shutil.rmtree(folder / CANDIDATES_NAME, ignore_errors=True)
    return race.standing()


class _Race:
    """Candidates through the rungs, and all evaluations so far."""

    def __init__(
        self,
        evaluator: Evaluator,
        config: CandidateSearchConfig,
        parallel: Map,
        ledger: Ledger,
        progress: CandidateProgress,
        seed: int,
        watch: Callable[[list[Evaluation]], None],
    ):
        self.evaluator, self.config, self.seed = evaluator, config, seed
        self.parallel = parallel
        self.ledger, self.progress, self.watch = ledger, progress, watch
        self.done: list[Evaluation] = []

    @property
    def known(self) -> set[str]:
        """Digests of all candidates so far."""
        return {each.digest for each in self.done}

    def standing(self) -> list[Evaluation]:
        """See `ledger.standing`."""
        return standing(self.done)

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Successive halving of these.

        Raises:
          WorkError: when no candidate so far could be trained.
        """
        racing = {each.digest: each for each in candidates}
        before = 0
        for rung, epochs in enumerate(self.config.rung_epochs):
            measured = self._rung([*racing.values()], rung, epochs - before)
            best = survivors(measured, self.config.eta)
            racing = {each.digest: racing[each.digest] for each in best}
            before = epochs
        if self.standing()[0].status != OK:
            first = self.standing()[0]
            raise WorkError(
                f"None of {len(self.known)} candidates could be trained. One "
                f"of them, {first.name}: {describe(first)}. If that can be "
                "mended, run the same command again."
            )

    def _rung(
        self, candidates: Sequence[Candidate], rung: int, epochs: int
    ) -> list[Evaluation]:
        """Evaluates all; `epochs` are those that this rung adds."""
        measured, todo = [], []
        for candidate in candidates:
            found = self.ledger.result(candidate.digest, rung)
            if found:
                measured.append(found)
                self.progress.note(found, epochs, was_there=True)
            else:
                todo.append(self._trial(candidate, rung))
        # The largest first, so that no worker is left with one at the end.
        todo.sort(key=lambda t: -t.candidate.recipe.size.parameters(1, 1))
        self.progress.start_rung(rung, len(candidates), len(measured))
        work = functools.partial(evaluate, self.evaluator)
        for evaluation in self.parallel(work, todo):
            self.ledger.append(evaluation)
            measured.append(evaluation)
            self.progress.note(evaluation, epochs)
            self.watch(self.ledger.evaluations)
        self.done += measured
        return measured

    def _trial(self, candidate: Candidate, rung: int) -> Trial:
        return Trial(
            candidate,
            rung,
            self.config.rung_epochs[rung],
            self.ledger.path.parent / CANDIDATES_NAME / candidate.digest[:16],
            self.seed,
            self.ledger.settings,
        )
