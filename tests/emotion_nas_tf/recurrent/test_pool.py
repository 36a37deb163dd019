"""The pool: different cells, from wherever; the draw by seed."""

import json

import pytest

from emotion_nas_tf.config import CandidateSearchConfig
from emotion_nas_tf.recurrent.pool import (
    first_candidates,
    make_pool,
    mutations_of,
)
from emotion_nas_tf.recurrent.recipe_files import built_in
from tfrecords_builder.errors import UsageError


def config(**settings):
    return CandidateSearchConfig(**settings)


def test_without_files_generated_recipes_fill_the_pool():
    pool = make_pool(config(pool_size=12, num_candidates=12))
    names = [each.name for each in pool]
    assert names == [
        *("lstm", "gru", "rnn", "table4"),
        *(f"generated-{index}" for index in range(8)),
    ]
    assert len({each.digest for each in pool}) == 12
    other = make_pool(config(pool_size=12, num_candidates=12, seed=1))
    assert {e.digest for e in pool[4:]}.isdisjoint(e.digest for e in other[4:])


def test_a_cell_of_a_file_comes_in_once(tmp_path):
    gru = built_in("gru").to_mapping()
    mine = {
        "a": {"op": "linear", "input": ["x", "h_prev_0"]},
        "h_new_0": {"op": "activation_sigm", "input": ["a"]},
    }
    renamed = {
        "b": {"op": "linear", "input": ["h_prev_0", "x"]},
        "h_new_0": {"op": "activation_sigm", "input": ["b"]},
    }
    # An output that x never reaches cannot learn.
    deaf = {
        "a": {"op": "linear", "input": ["h_prev_0", "h_prev_1"]},
        "h_new_0": {"op": "activation_tanh", "input": ["a"]},
        "b": {"op": "linear", "input": ["x", "h_prev_2"]},
        "h_new_2": {"op": "activation_tanh", "input": ["b"]},
        "h_new_1": {"op": "activation_sigm", "input": ["a"]},
    }
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([gru, mine, renamed, deaf]), encoding="utf-8")
    pool = make_pool(config(recipe_files=(path,), pool_size=5))
    assert [each.name for each in pool] == [
        *("lstm", "gru", "rnn", "table4"),
        "mine.json-1",
    ]


def test_the_benchmarks_files_are_a_pool(shared_dir, tmp_path):
    import gzip

    path = shared_dir / "parity/nasbench_nlp_recipes.json.gz"
    entries = json.loads(gzip.decompress(path.read_bytes()))["entries"]
    file = tmp_path / "recipes.json"
    file.write_text(json.dumps([each["recipe"] for each in entries]))
    pool = make_pool(config(recipe_files=(file,)))
    # 265 different ones (their GRU and vanilla network are ours), and ours.
    digests = {each.digest for each in pool}
    assert len(digests) == len(pool)
    assert 265 <= len(pool) <= 265 + 4
    first = first_candidates(config(recipe_files=(file,)))
    assert len(first) == 24
    assert [each.name for each in first[:3]] == ["lstm", "gru", "rnn"]
    assert {each.digest for each in first} <= digests


def test_the_draw_is_of_the_seed_and_has_the_known_cells_always():
    settings = {"pool_size": 30, "num_candidates": 8}
    first = first_candidates(config(**settings))
    assert first == first_candidates(config(**settings))
    assert [each.name for each in first[:3]] == ["lstm", "gru", "rnn"]
    assert len({each.digest for each in first}) == 8
    others = first_candidates(config(**settings, seed=1))
    assert {e.digest for e in first} != {e.digest for e in others}
    with pytest.raises(
        UsageError, match=r"holds 10 different .* asks for more"
    ):
        first_candidates(config(pool_size=10, num_candidates=11))


def test_a_generation_has_no_cell_twice():
    first = first_candidates(config())
    known = {each.digest for each in first}
    settings = config(mutations=7)
    children = mutations_of(first[1], 1, settings, known)
    digests = {each.digest for each in children}
    assert len(digests) == 7
    assert not digests & known
    assert children == mutations_of(first[1], 1, settings, known)
    assert children[2].name == "gru, mutation 1.3"
    next_one = mutations_of(children[2], 2, settings, known | digests)
    assert next_one[0].name == "gru, mutation 2.1"
    assert not {each.digest for each in next_one} & (known | digests)
