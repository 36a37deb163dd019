"""Random recipes: by the published rules, the same for a seed everywhere."""

import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from emotion_nas_tf.recurrent.generator import (
    BENCHMARK_SPACES,
    RecipeSpace,
    find,
    generate,
    generate_pool,
    recipes,
)
from emotion_nas_tf.recurrent.names import new_state, previous_state
from emotion_nas_tf.recurrent.nodes import (
    ACTIVATIONS,
    BLEND,
    LINEAR,
    PRODUCT,
    SUM,
)
from tfrecords_builder.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


def test_the_rules():
    activated = Counter()
    for space in BENCHMARK_SPACES:
        for recipe in itertools.islice(recipes(space, 1), 40):
            nodes = {node.name: node for node in recipe.nodes}
            assert recipe.num_states == space.num_states
            most = space.num_states + space.num_intermediate + 1
            assert len(nodes) <= most
            for node in recipe.nodes:
                if node.op == LINEAR:
                    assert len(node.inputs) in (2, 3)
                    for name in set(node.inputs) & set(nodes):
                        assert nodes[name].op in ACTIVATIONS
                        activated[len(node.inputs)] += 1
                elif node.op in ACTIVATIONS:
                    assert nodes[node.inputs[0]].op == LINEAR
                if new_state(node.name) is not None:
                    assert all(previous_state(n) is None for n in node.inputs)
    assert set(activated) == {2, 3}


def test_operations_come_as_often_as_the_benchmark_says():
    """Two inputs to 4 of 5 linear nodes; 3 operations of 6 are linear.

    What is not needed is dropped, which spares linear nodes: only they are
    read by other linear nodes. So wide bounds, and blends, products and sums
    among themselves.
    """
    drawn = Counter()
    for recipe in itertools.islice(recipes(RecipeSpace(2, 21), 0), 400):
        drawn.update((node.op, len(node.inputs)) for node in recipe.nodes)
    linears = drawn[LINEAR, 2] + drawn[LINEAR, 3]
    assert 0.75 < drawn[LINEAR, 2] / linears < 0.85
    others = [drawn[BLEND, 3], drawn[PRODUCT, 2], drawn[SUM, 2]]
    assert 0.5 < linears / (linears + sum(others)) < 0.85
    assert min(others) > 0.25 * sum(others)
    kinds = [drawn[op, 1] for op in ACTIVATIONS]
    assert min(kinds) > 0.28 * sum(kinds)


def test_a_seed_gives_the_same_in_every_process():
    program = (
        "from emotion_nas_tf.recurrent.generator import generate_pool\n"
        "import hashlib\n"
        "text = repr(generate_pool(20, 5))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    here = hashlib.sha256(repr(generate_pool(20, 5)).encode()).hexdigest()
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_pool_holds_different_cells_and_grows_at_its_end():
    pool = generate_pool(60, 3)
    assert len({recipe.digest for recipe in pool}) == 60
    assert pool[:10] == generate_pool(10, 3)
    assert pool != generate_pool(60, 4)
    states = Counter(recipe.num_states for recipe in pool)
    assert set(states) == {1, 2, 3}
    assert generate(RecipeSpace(), 3) == generate(RecipeSpace(), 3)


def test_what_hardly_exists_is_refused():
    with pytest.raises(UsageError, match="Ask for fewer, or for more nodes"):
        generate_pool(50, 0, (RecipeSpace(1, 1),))
    with pytest.raises(UsageError, match="None of 5000"):
        find(RecipeSpace(1, 1), 0, hidden_products=40)
    with pytest.raises(UsageError, match=r"at least 1. Received: 0, 7"):
        RecipeSpace(0, 7)
