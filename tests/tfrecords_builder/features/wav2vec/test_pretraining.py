"""Pretraining of a tiny wav2vec on generated sounds."""

import csv
import dataclasses

import numpy as np
import pytest
import soundfile

from tfrecords_builder.config import PretrainConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec import pretraining
from tfrecords_builder.features.wav2vec.checkpoint import read_checkpoint
from tfrecords_builder.features.wav2vec.crops import Crops, find_audio
from tfrecords_builder.features.wav2vec.loading import model_of


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "audio" / "deep"
    folder.mkdir(parents=True)
    for index in range(3):
        time = np.arange(3000 + 500 * index) / 16_000
        # Sweeps: the next frame follows from those before.
        sweep = np.sin(2 * np.pi * (300 + 2000 * time + 90 * index) * time)
        soundfile.write(folder / f"{index}.wav", 0.5 * sweep, 16_000)
    (folder / "broken.wav").write_bytes(b"no audio")
    soundfile.write(folder / "short.flac", np.zeros(100), 16_000)
    return PretrainConfig(
        audio_dir=tmp_path / "audio",
        output_dir=tmp_path / "out",
        encoder_layers="[(8, 10, 5), (8, 8, 8)]",
        aggregator_layers="[(8, 2, 1)] * 2",
        prediction_steps=3,
        num_negatives=4,
        steps=30,
        batch_size=2,
        crop_samples=2500,
        warmup_steps=3,
        steps_per_save=10,
    )


def test_it_learns_and_its_checkpoint_loads(config):
    said = []
    path = pretraining.pretrain(config, said.append)
    text = "\n".join(said)
    assert "Left out" in text
    assert "3 audio files" in text
    with (config.output_dir / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [10, 20, 30]
    losses = [float(row["loss"]) for row in rows]
    assert losses[-1] < losses[0]
    assert list(config.output_dir.glob("events*"))
    model = model_of(read_checkpoint(path), prediction_head=True)
    assert model.settings == pretraining.settings_of(config)


def test_a_killed_pretraining_ends_with_the_same_bits(
    config, tmp_path, monkeypatch
):
    whole = dataclasses.replace(config, output_dir=tmp_path / "whole")
    expected = read_checkpoint(pretraining.pretrain(whole, str))
    real = pretraining.Pretraining.step

    def dies(self, waveforms, number):
        if number == 14:
            raise KeyboardInterrupt
        return real(self, waveforms, number)

    monkeypatch.setattr(pretraining.Pretraining, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        pretraining.pretrain(config, str)
    monkeypatch.undo()
    said = []
    resumed = read_checkpoint(pretraining.pretrain(config, said.append))
    assert "Going on after step 10" in said[0]
    assert resumed.settings == expected.settings
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], array)
    with pytest.raises(UsageError, match="seed: 0 there, 1 now"):
        pretraining.pretrain(dataclasses.replace(config, seed=1), str)


def test_learning_rate(config):
    config = dataclasses.replace(config, steps=13, warmup_steps=3)
    rates = [pretraining.learning_rate(config, n) for n in range(14)]
    np.testing.assert_allclose(rates[:4], [0.005 / 3, 0.01 / 3, 0.005, 0.005])
    np.testing.assert_allclose(rates[8], 0.0025)
    np.testing.assert_allclose(rates[13], 0, atol=1e-12)


def test_every_file_comes_once_an_epoch(config):
    paths = [p for p in find_audio(config.audio_dir) if p.stem in "012"]
    crops = Crops(paths, 0, 1, 100_000, 1)
    for epoch in range(2):
        batches = [crops.batch(3 * epoch + i) for i in range(3)]
        assert sorted(b.shape for b in batches) == [
            (1, 3000),
            (1, 3500),
            (1, 4000),
        ]
    np.testing.assert_array_equal(crops.batch(4), crops.batch(4))


def test_no_audio(tmp_path):
    with pytest.raises(UsageError, match="--audio_dir"):
        find_audio(tmp_path)
