"""Natural order."""

from tfrecords_builder.utterance import natural_key


def test_numbers_are_ordered_by_size():
    names = ["Ses10", "Ses2", "10", "9", "a"]
    assert sorted(names, key=natural_key) == ["9", "10", "Ses2", "Ses10", "a"]


def test_digits_that_are_no_decimals_are_letters():
    # isdigit is true of the superscript, which int() refuses.
    assert sorted(["m\u00b210", "m\u00b22"], key=natural_key) == [
        "m\u00b22",
        "m\u00b210",
    ]
