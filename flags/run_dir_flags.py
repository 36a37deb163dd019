"""The flag of every program that works on a run."""

from absl import flags

RUN_DIR = flags.DEFINE_string("run_dir", "runs/default", "The run's folder.")
