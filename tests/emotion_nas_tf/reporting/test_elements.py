"""Pieces of the page."""

from emotion_nas_tf.reporting import elements


def test_one_system_is_seen_at_once_and_the_others_on_a_click():
    html = elements.grid_of_systems({"a": "A!", "b": "B!", "c": "C!"}, "b")
    before, _, inside = html.partition("<details>")
    assert before == "B!"
    assert "2 other systems" in inside
    assert "A!" in inside
    assert "C!" in inside
    assert "B!" not in inside
    assert elements.grid_of_systems({"a": "A!"}, "a") == "A!"
