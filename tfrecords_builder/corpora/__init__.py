"""Corpus readers: a folder of audio in, a `CorpusListing` out."""
