"""Emotional speech corpora to fixed-size features in TFRecords."""
