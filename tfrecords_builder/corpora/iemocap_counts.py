"""IEMOCAP's published counts, and a reader's counts beside them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tfrecords_builder.corpora.reading import aligned, first_few
from tfrecords_builder.utterance import Utterance

_COLUMNS = ("neutral", "angry", "happy", "sad", "excited")
# Improvised turns, from the metadata that EmoBox publishes (data/iemocap).
IMPROVISED = {
    speaker: dict(zip(_COLUMNS, counts, strict=True))
    for speaker, *counts in (
        ("Ses01F", 119, 37, 18, 43, 54),
        ("Ses01M", 104, 25, 15, 61, 45),
        ("Ses02F", 90, 7, 25, 63, 88),
        ("Ses02M", 127, 15, 29, 37, 49),
        ("Ses03F", 95, 22, 39, 108, 41),
        ("Ses03M", 103, 68, 21, 82, 48),
        ("Ses04F", 51, 47, 10, 41, 119),
        ("Ses04M", 123, 37, 21, 40, 45),
        ("Ses05F", 151, 18, 56, 73, 68),
        ("Ses05M", 136, 13, 50, 60, 106),
    )
}
SCRIPTED = dict(zip(_COLUMNS, (609, 814, 311, 476, 378), strict=True))


def compare_with_published(
    utterances: Sequence[Utterance],
    label_names: Sequence[str],
    *,
    merge_excited: bool,
    scripts: bool,
) -> Iterator[str]:
    """Lines: counts per speaker and emotion as found/published, and a verdict.

    Args:
      utterances: what the reader listed.
      label_names: the columns.
      merge_excited: excited turns were counted as happy.
      scripts: scripted turns were listed too; of these, only the counts over
        all speakers are published.
    """
    rows = {speaker: dict(counts) for speaker, counts in IMPROVISED.items()}
    rows["improvised"] = dict(
        sum((Counter(counts) for counts in IMPROVISED.values()), Counter())
    )
    if scripts:
        rows["scripted"] = dict(SCRIPTED)
    published = {}
    for row, counts in rows.items():
        if merge_excited:
            counts["happy"] += counts.pop("excited")
        for label in label_names:
            published[row, label] = counts.get(label)
    found = _count(utterances)
    yield "IEMOCAP utterances found/published, improvised turns by speaker:"
    yield from aligned(
        [["speaker", *label_names, "total"]]
        + [_row(row, label_names, found, published) for row in rows]
    )
    different = [
        f"{row} {label} {found[row, label]} instead of {number}"
        for (row, label), number in published.items()
        if number is not None and found[row, label] != number
    ]
    if different:
        yield (
            f"{len(different)} counts differ from the published ones: "
            f"{first_few(different, 10)}."
        )
    else:
        yield "All counts are the published ones."


def _count(utterances: Sequence[Utterance]) -> Counter:
    found = Counter()
    for utterance in utterances:
        if "_script" in utterance.id:
            found["scripted", utterance.label] += 1
        else:
            found["improvised", utterance.label] += 1
            found[utterance.speaker, utterance.label] += 1
    return found


def _row(
    row: str,
    label_names: Sequence[str],
    found: Counter,
    published: dict[tuple[str, str], int | None],
) -> list[str]:
    numbers = [published[row, label] for label in label_names]
    total = None if None in numbers else sum(numbers)
    cells = [found[row, label] for label in label_names]
    cells.append(sum(cells))
    return [
        row,
        *(
            f"{cell}/{'-' if number is None else number}"
            for cell, number in zip(cells, [*numbers, total], strict=True)
        ),
    ]
