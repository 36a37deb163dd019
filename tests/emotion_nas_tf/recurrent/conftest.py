"""Tests of optional packages are collected where those are installed."""

import importlib.util

collect_ignore = [
    f"test_parallel_{name}.py"
    for name, package in (("ray", "ray"), ("dask", "distributed"))
    if importlib.util.find_spec(package) is None
]
