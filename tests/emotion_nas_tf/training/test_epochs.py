"""The loop around the steps, with a model that only counts."""

import keras
import pytest
import tensorflow as tf

from emotion_nas_tf.training import epochs
from emotion_nas_tf.training.epochs import InputWait, run_epochs


class Counting(keras.Model):
    """Its weight is the sum of the batches; its loss their mean."""

    def __init__(self):
        super().__init__()
        self.total = self.add_weight(
            shape=(), name="total", initializer="zeros"
        )
        self.loss_mean = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_mean]

    def call(self, x):
        return x

    def train_step(self, x):
        self.total.assign_add(x)
        self.loss_mean.update_state(x)
        return {"loss": self.loss_mean.result()}

    def test_step(self, x):
        self.loss_mean.update_state(x)
        return {"loss": self.loss_mean.result()}


class Notes(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps, self.ends, self.waits = [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append((self.epoch, batch, logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append((epoch, logs["loss"], logs["val_loss"]))
        self.waits.append(logs["input_wait"])


def numbers(first_step):
    return tf.data.Dataset.from_tensor_slices(
        [float(number) for number in range(first_step, 6)]
    )


@pytest.fixture
def model():
    model = Counting()
    model.compile(jit_compile=False)
    return model


def run(model, first_step=0, batches=numbers, **keywords):
    notes = Notes()
    validation = tf.data.Dataset.from_tensor_slices([10.0, 20.0])
    run_epochs(
        model, batches, validation, first_step, 3, 2, [notes], **keywords
    )
    return notes


def test_epochs_are_trained_and_validated(model):
    notes = run(model)
    assert notes.steps == [
        *((0, 0, 0.0), (0, 1, 0.5), (0, 2, 1.0)),
        *((1, 0, 3.0), (1, 1, 3.5), (1, 2, 4.0)),
    ]
    assert notes.ends == [(0, 1.0, 15.0), (1, 4.0, 15.0)]
    assert float(model.total) == 15


def test_begun_inside_an_epoch_its_numbers_are_the_whole_epochs(model):
    """The metric holds the steps before, as a checkpoint restores it."""
    model.loss_mean.update_state([0.0])
    notes = run(model, first_step=1)
    assert notes.steps[:2] == [(0, 1, 0.5), (0, 2, 1.0)]
    assert notes.ends == [(0, 1.0, 15.0), (1, 4.0, 15.0)]


def test_over_before_the_last_epoch(model):
    notes = run(model, is_over=lambda epochs_completed: epochs_completed == 1)
    assert len(notes.ends) == 1
    # Started again, it is over at once.
    assert run(model, 3, is_over=lambda completed: completed == 1).ends == []


def test_input_wait_is_the_share_of_the_steps_time(monkeypatch):
    """One second in four, but for the first step, which compiles."""
    now = [0.0]
    monkeypatch.setattr(epochs.time, "monotonic", lambda: now[0])

    def batches(seconds):
        while True:
            now[0] += seconds
            yield "batch"

    def work(seconds):
        def step(batch):
            now[0] += seconds
            return batch

        return step

    wait = InputWait()
    assert wait.step(batches(50), work(40)) == "batch"
    assert wait.share == 0
    for _ in range(5):
        wait.step(batches(1), work(3))
        # Between steps: neither waiting nor working.
        now[0] += 7
    assert wait.share == 0.25
    wait.reset()
    wait.step(batches(0), work(3))
    assert wait.share == 0


def test_slow_data_are_seen_in_the_numbers_of_an_epoch(model, monkeypatch):
    """A second for a batch, three for a step, by a clock of our own."""
    now = [0.0]
    monkeypatch.setattr(epochs.time, "monotonic", lambda: now[0])

    def slow(first_step):
        def generate():
            for number in range(6):
                now[0] += 1
                yield float(number)

        dataset = tf.data.Dataset.from_generator(
            generate, output_signature=tf.TensorSpec((), tf.float32)
        )
        # tf.data prepares batches ahead unasked.
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        return dataset.with_options(options)

    model.make_train_function()
    step = model.train_function

    def three_seconds(batch):
        now[0] += 3
        return step(batch)

    model.train_function = three_seconds
    assert run(model, batches=slow).waits == [0.25, 0.25]
