"""What is exported, and on which recordings it is tried."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.serving import selection
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry


def test_asks_for_what_can_be_exported():
    with pytest.raises(UsageError, match="fusion_mean, fusion_product can"):
        selection.check_system("majority")


def test_exports_the_best_there_is(tmp_path):
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(UsageError, match="holds none of fusion, retrained"):
        selection.system_to_export(directory)
    for system in ("recipe", "retrained", "fusion"):
        directory.info(system).parent.mkdir(parents=True)
        directory.info(system).touch()
        assert selection.system_to_export(directory) == system


@pytest.mark.parametrize(
    ("features", "checkpoint", "expected"),
    [
        (None, None, False),
        ("logmel", None, True),
        ("wav2vec", None, False),
        ("wav2vec", Path("large.pt"), True),
        ("transformers", Path("large.pt"), False),
    ],
)
def test_which_encoders_can_be_part_of_a_model(features, checkpoint, expected):
    sequence = features and SimpleNamespace(features=features)
    assert selection.encoder_is_at_hand(sequence, checkpoint) == expected


def test_clips_of_a_test_are_those_still_there(tmp_path, monkeypatch):
    def entry(index, speaker):
        path = tmp_path / f"{speaker}_{index}.wav"
        if index != 1:
            path.touch()
        return RecordEntry("", speaker, "1", 0, "", 1.0, 0, 0, str(path))

    entries = [entry(i, speaker) for speaker in "ab" for i in range(20)]
    entries.append(RecordEntry("", "c", "1", 0, "", 1.0, 0, 0, "gone.wav"))
    monkeypatch.setattr(
        selection,
        "load_manifest",
        lambda _: SimpleNamespace(entries=entries),
    )
    test = RunDirectory(tmp_path).test(2, "a")
    chosen = selection.clips_of_test(tmp_path, test).paths
    assert len(chosen) == selection.NUM_CLIPS
    assert all(clip.name.startswith("a_") for clip in chosen)
    assert tmp_path / "a_1.wav" not in chosen
    for speaker, why in (("c", "are gone, e.g. gone.wav"), ("d", "no speaker")):
        test = RunDirectory(tmp_path).test(2, speaker)
        clips = selection.clips_of_test(tmp_path, test)
        assert clips.paths == ()
        assert why in clips.why_none


def test_without_a_folder_of_records_there_are_no_clips(tmp_path):
    test = RunDirectory(tmp_path).test(2, "a")
    clips = selection.clips_of_test(tmp_path / "recrods", test)
    assert clips.paths == ()
    assert "no folder of records" in clips.why_none
    assert "recrods" in clips.why_none


def test_damaged_records_are_not_replaced_by_generated_waveforms(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        selection.clips_of_test(tmp_path, RunDirectory(tmp_path).test(2, "a"))
