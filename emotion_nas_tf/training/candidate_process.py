"""How a process that trains candidates begins.

Apart from what it does then, because importing that imports TensorFlow.
"""

from emotion_nas_tf.worker_processes import load_tensorflow_quietly


def start_process() -> None:
    """Imports TensorFlow, for one thread.

    Processes side by side would crowd each other; and the last bits of a sum
    may depend on the number of threads, but must not on that of workers.
    Leaves TensorFlow as it is where it is at work already.
    """
    load_tensorflow_quietly(_limit)


def _limit() -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        for device in tf.config.list_physical_devices("GPU"):
            # All of a GPU's memory would go to the first process.
            tf.config.experimental.set_memory_growth(device, True)
    except RuntimeError:
        return
