"""Dask for real: a cluster on this machine, while the context lasts."""

import os

from emotion_nas_tf.recurrent.parallel import parallel_workers


def test_every_result_comes_once_from_processes_that_were_prepared():
    def prepare():
        os.environ["PREPARED"] = "yes"

    def square(item):
        return item * item, os.getpid(), os.environ.get("PREPARED")

    with parallel_workers(2, "dask", prepare) as run:
        results = list(run(square, range(4))) + list(run(square, [4]))
    assert sorted(number for number, *_ in results) == [0, 1, 4, 9, 16]
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {found for *_, found in results} == {"yes"}
