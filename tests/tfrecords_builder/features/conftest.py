"""Tests of optional packages are collected where those are installed."""

import importlib.util

NEEDED = {
    "test_transformer_models.py": ("torch", "transformers"),
    "test_opensmile.py": ("opensmile",),
}

collect_ignore = [
    file
    for file, packages in NEEDED.items()
    if any(importlib.util.find_spec(name) is None for name in packages)
]
