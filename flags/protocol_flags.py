"""Flags that say on which records, which folds and into which folder."""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from emotion_nas_tf.config import ProtocolConfig
from flags import common_flags, run_dir_flags
from tfrecords_builder.errors import UsageError

_FOLD = flags.DEFINE_integer(
    "fold", None, "The fold: k holds out the k-th session.", lower_bound=1
)
_FOLDS = flags.DEFINE_list(
    "folds",
    None,
    "Several folds, e.g. 1,2,3,4,5, instead of --fold; `all` for every session "
    "that can be held out. Those that cannot are named.",
)
_TEST_SPEAKER = flags.DEFINE_enum(
    "test_speaker",
    "both",
    ("both", "first", "second"),
    "Which of the held-out session's two speakers tests; the other one "
    "validates. `both`: each in turn.",
)
_ALLOW_MISSING_CLASSES = flags.DEFINE_bool(
    "allow_missing_classes",
    False,
    "Accept a validation or test speaker without an utterance of some class.",
)


def protocol_config() -> ProtocolConfig:
    """What the flags ask for.

    Raises:
      UsageError: when neither --fold nor --folds is given, both are, or
        --folds is not a list of numbers.
    """
    if (_FOLD.value is None) == (_FOLDS.value is None):
        raise UsageError(
            "Say which fold with --fold=2, several with --folds=1,2,3,4,5, or "
            "--folds=all."
        )
    folds = _numbers(_FOLDS.value) if _FOLD.value is None else (_FOLD.value,)
    return ProtocolConfig(
        records_dir=Path(common_flags.RECORDS_DIR.value),
        run_dir=run_dir_flags.run_dir(),
        folds=folds,
        test_speaker=_TEST_SPEAKER.value,
        allow_missing_classes=_ALLOW_MISSING_CLASSES.value,
    )


def _numbers(texts: Sequence[str]) -> tuple[int, ...] | None:
    """Fold numbers, each once; None for all."""
    if list(texts) == ["all"]:
        return None
    try:
        folds = tuple(dict.fromkeys(int(text) for text in texts))
    except ValueError:
        folds = ()
    if not folds or min(folds) < 1:
        raise UsageError(
            "--folds must list fold numbers from 1, e.g. 1,2,3,4,5, or be "
            f"`all`. Received: {','.join(texts)}"
        )
    return folds
