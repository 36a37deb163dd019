"""Tests of optional packages are collected where those are installed."""

import importlib.util

collect_ignore = [
    "test_transformer_models.py"
    for name in ("torch", "transformers")
    if importlib.util.find_spec(name) is None
]
