"""Flags of `tfrecords_builder.build`."""

from pathlib import Path

from absl import flags

from flags import common_flags, seed_flags, wav2vec_flags
from tfrecords_builder.config import (
    COMPRESSIONS,
    GEOMETRIES,
    SCALES,
    BuildConfig,
    spectrogram_preset,
)
from tfrecords_builder.errors import UsageError

_PRESET = spectrogram_preset()

_CORPUS = flags.DEFINE_enum(
    "corpus",
    None,
    ("emodb", "iemocap", "ravdess", "cremad", "manifest", "synthetic"),
    "Whose audio it is. `manifest`: anybody's, listed in a CSV file with the "
    "columns path,label,speaker,session. `synthetic`: generated here.",
    required=True,
)
_CORPUS_DIR = flags.DEFINE_string(
    "corpus_dir",
    None,
    "The corpus' folder. For `manifest` the CSV file, or the folder that "
    "holds manifest.csv; for `synthetic` where to write the audio (default: "
    "corpora/synthetic).",
)
_EMOTIONS = flags.DEFINE_list(
    "emotions",
    [],
    "Labels to keep, in class order. Default: neutral,angry,happy,sad; for "
    "`manifest`, all there are.",
)
_IEMOCAP_SCRIPTS = flags.DEFINE_bool(
    "iemocap_scripts",
    False,
    "Use IEMOCAP's scripted dialogs too, not the improvised alone.",
)
_MERGE_EXCITED = flags.DEFINE_bool(
    "merge_excited", False, "Count IEMOCAP's `exc` as happy."
)
_STRICT = flags.DEFINE_bool(
    "strict", False, "Refuse a corpus with a broken file; default: skip it."
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace another build in --records_dir."
)
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers",
    0,
    "Processes; 0: one a core, fewer for a small corpus.",
    lower_bound=0,
)
_GEOMETRY = flags.DEFINE_enum(
    "geometry",
    _PRESET.geometry,
    GEOMETRIES,
    "Windows of the spectrogram. `paper`: 25 ms, 11 ms apart; `dft278`: 278 "
    "samples, 229 apart.",
)
_SCALE = flags.DEFINE_enum(
    "scale",
    _PRESET.scale,
    SCALES,
    "Mel bands in decibels, linear frequency in decibels, or linear both.",
)
_COMPRESSION = flags.DEFINE_enum(
    "compression", "none", COMPRESSIONS, "Of the shards."
)
_UTTERANCES_PER_SHARD = flags.DEFINE_integer(
    "utterances_per_shard", 64, "Size of a shard.", lower_bound=1
)
_SYNTHETIC_UTTERANCES = flags.DEFINE_integer(
    "synthetic_utterances",
    8,
    "Utterances per speaker and emotion of the synthetic corpus.",
    lower_bound=1,
)

# Elsewhere they would do nothing.
_CORPORA_OF = {
    _IEMOCAP_SCRIPTS.name: ("iemocap",),
    # The synthetic corpus is a tree like IEMOCAP's, without scripts.
    _MERGE_EXCITED.name: ("iemocap", "synthetic"),
    _SYNTHETIC_UTTERANCES.name: ("synthetic",),
}


def build_config() -> BuildConfig:
    """The flags as a configuration.

    Raises:
      UsageError: when --corpus_dir is missing, or a flag is given that is of
        another corpus.
    """
    for name, corpora in _CORPORA_OF.items():
        if flags.FLAGS[name].present and _CORPUS.value not in corpora:
            raise UsageError(
                f"--{name} does nothing with --corpus={_CORPUS.value}: it is "
                f"for {' and '.join(corpora)}. Leave it out."
            )
    corpus_dir = _CORPUS_DIR.value
    if corpus_dir is None:
        if _CORPUS.value != "synthetic":
            raise UsageError(
                f"Where is the {_CORPUS.value} corpus? Name its folder with "
                "--corpus_dir."
            )
        corpus_dir = "corpora/synthetic"
    return BuildConfig(
        corpus=_CORPUS.value,
        corpus_dir=Path(corpus_dir),
        records_dir=Path(common_flags.RECORDS_DIR.value),
        spectrogram=spectrogram_preset(_GEOMETRY.value, _SCALE.value),
        sequence=wav2vec_flags.sequence_request(),
        emotions=tuple(_EMOTIONS.value),
        iemocap_scripts=_IEMOCAP_SCRIPTS.value,
        merge_excited=_MERGE_EXCITED.value,
        strict=_STRICT.value,
        overwrite=_OVERWRITE.value,
        num_workers=_NUM_WORKERS.value,
        utterances_per_shard=_UTTERANCES_PER_SHARD.value,
        compression=_COMPRESSION.value,
        seed=seed_flags.SEED.value,
        synthetic_utterances=_SYNTHETIC_UTTERANCES.value,
    )
