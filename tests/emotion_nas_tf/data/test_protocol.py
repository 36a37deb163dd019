"""Records and folds as programs ask for them."""

import dataclasses
from types import SimpleNamespace

import pytest

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.protocol import choose_streams, open_records
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest


def test_more_folds_than_sessions(small_records):
    protocol = ProtocolConfig(small_records, small_records, (1, 2, 3, 4, 5))
    with pytest.raises(
        UsageError, match=r"^Folds 3, 4, 5 .* tested: 1, 2 \(--folds=all\)\.$"
    ):
        open_records(protocol)


def test_all_folds_and_why_others_are_left_out(
    write_small_records, small_records, tmp_path, capsys
):
    every = ProtocolConfig(small_records, tmp_path, None)
    named = dataclasses.replace(every, folds=(1, 2))
    assert open_records(every) == open_records(named)
    assert capsys.readouterr().err == ""
    records = write_small_records(
        tmp_path, lambda speaker, label: (speaker, label) != ("b", "sad")
    )
    every = dataclasses.replace(every, records_dir=records)
    _, folds = open_records(every)
    assert [fold.test_speaker for fold in folds] == ["c", "d"]
    assert capsys.readouterr().err == (
        "Left out: Fold 1: speaker b has no utterance of class sad.\n"
    )
    every = dataclasses.replace(every, allow_missing_classes=True)
    assert [fold.number for fold in open_records(every)[1]] == [1, 1, 2, 2]


def test_a_speaker_without_a_class(write_small_records, tmp_path, capsys):
    records = write_small_records(
        tmp_path, lambda speaker, label: (speaker, label) != ("b", "sad")
    )
    with pytest.raises(UsageError, match="no utterance of class sad"):
        open_records(ProtocolConfig(records, tmp_path, (1,)))
    _, folds = open_records(
        ProtocolConfig(records, tmp_path, (1,), allow_missing_classes=True)
    )
    assert [fold.test_speaker for fold in folds] == ["a", "b"]
    assert capsys.readouterr().err.splitlines() == [
        f"Fold 1: the {side} speaker b has no utterance of sad; UA is the "
        "mean recall of the other 2 classes."
        for side in ("validation", "test")
    ]


def test_streams_are_those_the_records_have_features_for(small_records):
    manifest = load_manifest(small_records)
    assert choose_streams(manifest) == ("spectrogram",)
    with pytest.raises(UsageError, match="--sequence_features=logmel"):
        choose_streams(manifest, ("spectrogram", "recurrent"))
    both = SimpleNamespace(sequence="some")
    assert choose_streams(both) == ("spectrogram", "recurrent")
    assert choose_streams(both, ("recurrent",)) == ("recurrent",)
