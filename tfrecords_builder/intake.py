"""The intake report: what a corpus' audio files are like, counted."""

import statistics
from collections import Counter, defaultdict

from tfrecords_builder.audio import BROKEN_REASONS, AudioFacts
from tfrecords_builder.utterance import Utterance

FLAGS = ("clipped", "silent", "very_quiet")
_NAMES_IN_TABLE = 10


class IntakeReport:
    """Counts files as they come in, in any order.

    It needs an utterance and its `AudioFacts` only, so that a build that goes
    on rebuilds it from what it had stored.

    Args:
      clip_seconds: the length from which on the front end cuts; the report
        says how many files are longer.
    """

    def __init__(self, clip_seconds: float = 8.0):
        self._clip_seconds = clip_seconds
        self._usable: dict[str, tuple[Utterance, AudioFacts]] = {}
        self._broken: dict[str, dict[str, str]] = {}

    def add(self, utterance: Utterance, facts: AudioFacts) -> None:
        """Counts a file that could be read."""
        self._usable[utterance.id] = (utterance, facts)

    def add_broken(
        self, utterance: Utterance, reason: str, message: str
    ) -> None:
        """Counts a file that could not be used.

        Args:
          utterance: whose file it is.
          reason: one of `tfrecords_builder.audio.BROKEN_REASONS`.
          message: the sentence to show.
        """
        if reason not in BROKEN_REASONS:
            raise ValueError(
                f"reason must be one of {BROKEN_REASONS}. Received: {reason!r}"
            )
        self._broken[utterance.id] = {
            "id": utterance.id,
            "path": str(utterance.path),
            "reason": reason,
            "message": message,
        }

    def to_json(self) -> dict:
        """The whole report as JSON values; the same for any order of adding.

        `flagged` and `duplicates` name their utterances, `broken` names the
        files with the reason; durations are in seconds.
        """
        usable = [self._usable[key] for key in sorted(self._usable)]
        broken = [self._broken[key] for key in sorted(self._broken)]
        facts = [fact for _, fact in usable]
        reasons = Counter(entry["reason"] for entry in broken)
        return {
            "files": len(usable) + len(broken),
            "usable": len(usable),
            "sample_rates_hz": _count(fact.source_rate_hz for fact in facts),
            "channels": _count(fact.source_channels for fact in facts),
            "duration_seconds": _durations(facts),
            "longer_than_clip": self._longer_than_clip(facts),
            "flagged": {
                flag: [u.id for u, fact in usable if getattr(fact, flag)]
                for flag in FLAGS
            },
            "duplicates": _duplicates(usable),
            "broken_counts": {name: reasons[name] for name in BROKEN_REASONS},
            "broken": broken,
        }

    def to_table(self) -> str:
        """The report as lines for a person; long lists of names are cut."""
        report = self.to_json()
        lines = [
            f"Audio files      {report['files']}, {report['usable']} usable",
            f"Sample rates     {_counted(report['sample_rates_hz'], ' Hz')}",
            f"Channels         {_counted(report['channels'])}",
        ]
        durations = report["duration_seconds"]
        if durations:
            longer = report["longer_than_clip"]
            lines += [
                "Durations        "
                f"min {durations['min']:.2f} s, "
                f"median {durations['median']:.2f}, "
                f"mean {durations['mean']:.2f}, "
                f"max {durations['max']:.2f}; "
                f"{durations['total'] / 60:.1f} minutes in all",
                f"Above {longer['clip_seconds']:g} s".ljust(17)
                + f"{longer['count']} ({100 * longer['share']:.1f} %), "
                "their ends are cut",
            ]
        for flag in FLAGS:
            lines += _named(_heading(flag), report["flagged"][flag])
        duplicates = report["duplicates"]
        lines += _named(
            "Duplicates",
            [_duplicate_line(group) for group in duplicates],
            unit=" groups of files with identical audio" if duplicates else "",
        )
        for reason, count in report["broken_counts"].items():
            lines.append(f"{_heading(reason):17}{count}")
            messages = [
                entry["message"]
                for entry in report["broken"]
                if entry["reason"] == reason
            ]
            lines += _indented(messages)
        return "\n".join(lines)

    def _longer_than_clip(self, facts: list[AudioFacts]) -> dict:
        count = sum(
            fact.duration_seconds > self._clip_seconds for fact in facts
        )
        return {
            "clip_seconds": self._clip_seconds,
            "count": count,
            "share": count / len(facts) if facts else 0.0,
        }


def _count(values) -> dict[str, int]:
    # JSON has no integer keys.
    return {str(value): n for value, n in sorted(Counter(values).items())}


def _durations(facts: list[AudioFacts]) -> dict[str, float]:
    seconds = [fact.duration_seconds for fact in facts]
    if not seconds:
        return {}
    return {
        "min": min(seconds),
        "median": statistics.median(seconds),
        "mean": statistics.fmean(seconds),
        "max": max(seconds),
        "total": sum(seconds),
    }


def _duplicates(usable: list[tuple[Utterance, AudioFacts]]) -> list[dict]:
    groups = defaultdict(list)
    for utterance, fact in usable:
        groups[fact.content_sha256].append(utterance)
    return [
        {
            "ids": [utterance.id for utterance in group],
            "labels": sorted({utterance.label for utterance in group}),
            "speakers": sorted({utterance.speaker for utterance in group}),
        }
        for group in groups.values()
        if len(group) > 1
    ]


def _duplicate_line(group: dict) -> str:
    line = " = ".join(group["ids"])
    for what in ("labels", "speakers"):
        if len(group[what]) > 1:
            line += f" (different {what}: {', '.join(group[what])})"
    return line


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _counted(counts: dict[str, int], unit: str = "") -> str:
    return ", ".join(f"{n} x {key}{unit}" for key, n in counts.items()) or "-"


def _named(heading: str, names: list[str], unit: str = "") -> list[str]:
    return [f"{heading:17}{len(names)}{unit}", *_indented(names)]


def _indented(names: list[str]) -> list[str]:
    lines = [f"  {name}" for name in names[:_NAMES_IN_TABLE]]
    if len(names) > _NAMES_IN_TABLE:
        rest = len(names) - _NAMES_IN_TABLE
        lines.append(f"  and {rest} more (all are in the JSON report)")
    return lines
