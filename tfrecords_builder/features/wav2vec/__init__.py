"""wav2vec 1.0: model, checkpoints, extraction, pretraining."""
