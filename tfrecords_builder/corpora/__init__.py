"""Corpus readers: a folder of audio in, a `CorpusListing` out.

A new corpus is a module with such a function and a row in `CORPORA`.
"""

from collections.abc import Callable

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.cremad import read_cremad
from tfrecords_builder.corpora.emodb import read_emodb
from tfrecords_builder.corpora.iemocap import read_iemocap
from tfrecords_builder.corpora.manifest import read_manifest
from tfrecords_builder.corpora.ravdess import read_ravdess
from tfrecords_builder.corpora.synthetic import read_synthetic
from tfrecords_builder.utterance import CorpusListing

CORPORA: dict[str, Callable[[BuildConfig], CorpusListing]] = {
    "emodb": read_emodb,
    "iemocap": read_iemocap,
    "ravdess": read_ravdess,
    "cremad": read_cremad,
    "synthetic": read_synthetic,
    "manifest": read_manifest,
}
