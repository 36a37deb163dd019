"""Sets of options: what their lines and flags may be."""

import pytest

from benchmarks import option_sets
from flags import network_flags
from tfrecords_builder.errors import UsageError


def test_sets_are_lines_with_a_name():
    text = "\n# a comment: --no\nnothing:\ntwo: --mixup=0.2 --x='a b'\n"
    assert option_sets.parse_sets(text) == {
        "nothing": [],
        "two": ["--mixup=0.2", "--x=a b"],
    }


@pytest.mark.parametrize(
    "text",
    [
        *("no colon", ": --mixup=1", "a:\na:", "a b:\na_b:", "a/b:"),
        *("a: --mixup='1", "# nothing"),
    ],
)
def test_refuses_sets_that_are_none(text):
    with pytest.raises(UsageError, match=r"set of options"):
        option_sets.parse_sets(text)


def test_every_set_has_a_folder_of_its_own():
    sets = option_sets.parse_sets("a b:\na b c:\nab:\n")
    folders = [option_sets.folder_name(name) for name in sets]
    assert folders == ["a_b", "a_b_c", "ab"]


def test_numbers_count_once():
    assert option_sets.numbers("4,0,4") == (4, 0)


def test_flags_are_given_inside_alone(other_flags):
    with option_sets.flags_given([*other_flags, "--num_cells=5"]):
        assert network_flags.network_config().num_cells == 5
    with option_sets.flags_given(other_flags):
        assert network_flags.network_config().num_cells == 3


def test_refuses_a_seed(other_flags):
    with option_sets.flags_given(other_flags):
        option_sets.refuse_seed()
    with (
        option_sets.flags_given([*other_flags, "--seed=0"]),
        pytest.raises(UsageError, match="Leave --seed out"),
    ):
        option_sets.refuse_seed()


def test_a_file_of_sets_goes_before_ours(tmp_path):
    file = tmp_path / "sets"
    file.write_text("theirs:\n")
    assert option_sets.read_sets(file, "ours:") == "theirs:\n"
    assert option_sets.read_sets(None, "ours:") == "ours:"
    with pytest.raises(UsageError, match=r"--sets=.* cannot be read"):
        option_sets.read_sets(tmp_path / "none", "ours:")
