"""Fetches wav2vec-large, once; a stopped download goes on."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import sha256

URL = "https://dl.fbaipublicfiles.com/fairseq/wav2vec/wav2vec_large.pt"
_BLOCK_BYTES = 2**20
_TIMEOUT_SECONDS = 30
_SECONDS_BETWEEN_LINES = 5


def download_wav2vec_large(
    cache_dir: Path, say: Callable[[str], None] = print, url: str = URL
) -> Path:
    """The published checkpoint in the cache, downloaded when it is not there.

    Args:
      cache_dir: keeps it, and a part of it after a failure.
      say: takes progress and the file's SHA-256.
      url: where it is.

    Raises:
      WorkError: when it cannot be had; the message says what to fetch by
        other means and where to put it.
    """
    path = Path(cache_dir) / url.rsplit("/", 1)[-1]
    if not path.is_file():
        part = path.with_name(f"{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(url, part, say)
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            TimeoutError,
            ConnectionError,
        ) as error:
            reason = getattr(error, "reason", "") or error
            raise WorkError(
                f"{url} could not be downloaded ({reason}). What has arrived "
                "is kept: the same command goes on. Or fetch that file by "
                f"other means and put it at {path}, or name it with "
                "--wav2vec_checkpoint=FILE. Without it, "
                "--sequence_features=logmel always works."
            ) from error
        part.replace(path)
    say(f"{path}: {path.stat().st_size} bytes, SHA-256 {sha256(path)}")
    return path


def _fetch(url: str, part: Path, say: Callable[[str], None]) -> None:
    """Completes `part`."""
    there = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url)
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        # "Range not satisfiable": nothing is left to ask for, or the file is
        # another one by now.
        if error.code != 416:
            raise
        if error.headers.get("Content-Range", "") == f"bytes */{there}":
            return
        part.unlink()
        _fetch(url, part, say)
        return
    with response:
        # A server that does not know ranges sends it from the beginning.
        goes_on = response.status == 206
        there = there if goes_on else 0
        length = response.headers.get("Content-Length")
        total = there + int(length) if length else None
        if goes_on:
            say(f"Going on after {there / 1e6:.0f} MB.")
        with part.open("ab" if goes_on else "wb") as file:
            last_line = time.monotonic()
            while block := response.read(_BLOCK_BYTES):
                file.write(block)
                there += len(block)
                if time.monotonic() - last_line > _SECONDS_BETWEEN_LINES:
                    last_line = time.monotonic()
                    say(_progress(there, total))
    if total is not None and there != total:
        raise ConnectionError(f"only {there} of {total} bytes arrived")


def _progress(there: int, total: int | None) -> str:
    if total is None:
        return f"Downloading: {there / 1e6:.0f} MB"
    return (
        f"Downloading: {there / 1e6:.0f} of {total / 1e6:.0f} MB "
        f"({100 * there / total:.0f} %)"
    )
