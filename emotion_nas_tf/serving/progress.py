"""How far, how fast, how long still. Pure: no TensorFlow."""

import time
from collections.abc import Callable

from tfrecords_builder.durations import duration


class Progress:
    """Counts files and the audio in them, and says so now and then.

    Args:
      total: files.
      every_seconds: between two lines.
      say: takes a line.
      clock: seconds.
    """

    def __init__(
        self,
        total: int,
        every_seconds: float = 10.0,
        say: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._total, self._every = total, every_seconds
        self._say = say
        self._clock = clock
        self._started = self._said = clock()
        self.files, self.audio_seconds = 0, 0.0

    def add(self, files: int, audio_seconds: float) -> None:
        """Counts files that are done."""
        self.files += files
        self.audio_seconds += audio_seconds
        now = self._clock()
        if now - self._said < self._every or self.files >= self._total:
            return
        self._said = now
        rate = self.files / (now - self._started)
        left = (self._total - self.files) / rate
        self._say(
            f"{self.files} of {self._total} files, {rate:.1f} a second, "
            f"{self.speed:.1f} times faster than real time, about "
            f"{duration(left)} left"
        )

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock() - self._started

    @property
    def speed(self) -> float:
        """Seconds of heard audio a second."""
        return self.audio_seconds / max(self.seconds, 1e-9)

    def to_text(self) -> str:
        """What was done, in words."""
        return (
            f"{self.files} files, {duration(self.audio_seconds)} of heard "
            f"audio in {duration(self.seconds)}: {self.speed:.1f} times "
            "faster than real time"
        )
