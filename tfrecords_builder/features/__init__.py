"""The features records may hold. Pure: layers are in the modules.

A feature is a configuration with an `output_shape`, a row here, and a layer
of fixed output size in its own module.
"""

from tfrecords_builder.config import SpectrogramConfig

FEATURES = {"spectrogram": SpectrogramConfig}
