"""Utterances: one labelled stretch of speech, and the emotions we name."""

from dataclasses import dataclass
from pathlib import Path

# The four of the paper (section 3.1) in its order; they come first in every
# corpus' label list so that confusion matrices of two corpora line up.
PAPER_EMOTIONS = ("neutral", "angry", "happy", "sad")


@dataclass(frozen=True)
class Utterance:
    """One utterance of a corpus, before its audio has been read.

    Attributes:
      id: unique within the corpus, e.g. `Ses01F_impro01_F000`.
      path: the audio file.
      label: the emotion's name, e.g. `angry`.
      speaker: unique within the corpus, e.g. `Ses01F`; never on two sides of
        a split.
      session: what a fold holds out; `natural_key` orders sessions.
    """

    id: str
    path: Path
    label: str
    speaker: str
    session: str


@dataclass(frozen=True)
class CorpusListing:
    """What a corpus reader found.

    Attributes:
      corpus: the reader's name.
      utterances: the labelled utterances to use, in a fixed order.
      label_names: the label set; an utterance's class is its position here.
      excluded: how many labelled utterances were left out, by reason: nothing
        is dropped silently.
      report: lines a person should read (counts beside published ones).
    """

    corpus: str
    utterances: tuple[Utterance, ...]
    label_names: tuple[str, ...]
    excluded: dict[str, int]
    report: tuple[str, ...] = ()


def natural_key(text: str) -> tuple:
    """Sort key under which `2` comes before `10` and `Ses02` before `Ses10`."""
    parts, digits = [], ""
    for character in text + "\0":
        # Not isdigit: int() refuses the superscripts among those.
        if character.isdecimal():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, character))
    return tuple(parts)
