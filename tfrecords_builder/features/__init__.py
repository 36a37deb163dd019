"""The features records may hold. Pure: layers are in the modules.

`spectrogram` has a fixed size; `sequence`, one of several kinds, as many frames
as the utterance, beside its length.
"""

from tfrecords_builder.config import SequenceConfig, SpectrogramConfig

FEATURES = {"spectrogram": SpectrogramConfig, "sequence": SequenceConfig}
