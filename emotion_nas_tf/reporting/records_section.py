"""What the report says about the data: the audit made when it was built."""

import json
from pathlib import Path

from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.reading import damaged
from emotion_nas_tf.run_directory import FoldDirectory
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest, load_manifest

_INTAKE_NAME = "intake.json"
_FLAGS = {
    "clipped": "clipped",
    "silent": "silent",
    "very_quiet": "very quiet",
}
_MOST_NAMES = 10


def records_of(
    records_dir: Path | None, tests: list[FoldDirectory]
) -> RecordsManifest | None:
    """The manifest of the records a run was made with; None when not there."""
    if records_dir is None:
        return None
    try:
        manifest = load_manifest(records_dir)
    except UsageError:
        return None
    infos = [
        _info(path)
        for test in tests
        for path in sorted(test.path.glob("*/**/network.json"))
    ]
    # Networks of the earliest runs do not say of which records they are, and
    # those of each stream have its features' fingerprint.
    fingerprints = {manifest.fingerprint}
    if manifest.sequence is not None:
        fingerprints.add(manifest.sequence.fingerprint())
    same = {"records": {manifest.digest}, "fingerprint": fingerprints}
    is_theirs = all(
        info.get(key) is None or info[key] in values
        for info in infos
        for key, values in same.items()
    )
    return manifest if is_theirs else None


def data_section(
    records_dir: Path | None, manifest: RecordsManifest | None
) -> str:
    """The audio that came in, who speaks, and what is odd about it."""
    if manifest is None or records_dir is None:
        return elements.paragraph(
            f"The records of this run are not in {records_dir}: no audit. "
            "--records_dir names their folder.",
            "note",
        )
    counts = manifest.counts()
    rows = [
        [speaker, *(str(count) for count in of.values()), str(sum(of.values()))]
        for speaker, of in counts.items()
    ]
    totals = [
        sum(of[label] for of in counts.values())
        for label in manifest.label_names
    ]
    rows.append(["all", *map(str, totals), str(sum(totals))])
    return "".join(
        [
            elements.paragraph(_features(manifest)),
            elements.table(
                ["speaker", *manifest.label_names, "all"], rows, [len(rows) - 1]
            ),
            *_intake(records_dir / _INTAKE_NAME),
        ]
    )


def _features(manifest: RecordsManifest) -> str:
    spectrogram = manifest.features["spectrogram"]
    text = (
        f"Corpus {manifest.corpus}: {len(manifest.entries)} utterances of "
        f"{len(manifest.counts())} speakers. Spectrogram stream: "
        f"{spectrogram['num_features']} x {spectrogram['num_columns']} "
        f"({spectrogram['geometry']}, {spectrogram['scale']}), "
        f"{spectrogram['duration_seconds']:g} s."
    )
    sequence = manifest.sequence
    if sequence is not None:
        text += f" Recurrent stream: {sequence.title}."
    return text


def _intake(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        rows = [
            ["files", f"{report['files']}, {report['usable']} usable"],
            ["sample rates", _counted(report["sample_rates_hz"], " Hz")],
            ["channels", _counted(report["channels"], "")],
        ]
        seconds = report["duration_seconds"]
        if seconds:
            longer = report["longer_than_clip"]
            rows += [
                [
                    "durations",
                    f"{seconds['min']:.2f} to {seconds['max']:.2f} s, median "
                    f"{seconds['median']:.2f}; {seconds['total'] / 60:.1f} "
                    "minutes in all",
                ],
                [
                    f"above {longer['clip_seconds']:g} s, cut",
                    f"{longer['count']} ({100 * longer['share']:.1f} %)",
                ],
            ]
        rows += [
            [name, _named(report["flagged"].get(flag, []))]
            for flag, name in _FLAGS.items()
        ]
        groups = report["duplicates"]
        same = [" = ".join(group["ids"]) for group in groups]
        rows.append(["identical audio", _named(same)])
        broken = [entry["message"] for entry in report["broken"]]
        rows.append(["unusable", _named(broken)])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from None
    return [
        elements.heading("The audio files", 3),
        elements.table(["", "found"], rows, css_class="text"),
    ]


def _counted(counts: dict, unit: str) -> str:
    return ", ".join(f"{n} of {key}{unit}" for key, n in counts.items()) or "-"


def _named(names: list[str]) -> str:
    if not names:
        return "none"
    shown = ", ".join(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        shown += f" and {len(names) - _MOST_NAMES} more"
    return f"{len(names)}\n{shown}"


def _info(path: Path) -> dict:
    try:
        return read_json(path)
    except WorkError:
        return {}
