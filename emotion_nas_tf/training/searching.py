"""The architecture search of one test (paper, section 2.1)."""

from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.config import NetworkConfig, SearchConfig, as_json
from emotion_nas_tf.data.batches import (
    evaluation_batches,
    halve,
    search_batches,
    steps_per_epoch,
    subset,
)
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.pipeline import Split, load_split
from emotion_nas_tf.networks.system import (
    build_network,
    check_records,
    describe_system,
    load_weights,
    save_info,
    save_weights,
)
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import Genotype, load_genotype
from emotion_nas_tf.search_space.penalties import make_penalties
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training import alpha_record
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.callbacks import EpochEnd, show_progress
from emotion_nas_tf.training.early_stop import reason_to_stop
from emotion_nas_tf.training.fitting import (
    fit_resumable,
    make_weight_optimizer,
)
from emotion_nas_tf.training.inheriting import inherited_network, measure_ua
from emotion_nas_tf.training.losses import class_weights
from emotion_nas_tf.training.memory_watch import MemoryWatch
from emotion_nas_tf.training.optimizers import CoupledAdam
from emotion_nas_tf.training.replicas import make_strategy
from emotion_nas_tf.training.search_checks import (
    check_search_batches,
    check_search_settings,
)
from emotion_nas_tf.training.search_schedule import SearchSchedule
from emotion_nas_tf.training.search_watch import (
    EpochWatch,
    announce,
    watch_numbers,
)
from emotion_nas_tf.training.state import claim_folder, set_random_state
from emotion_nas_tf.training.summaries import ArchitectureSummaries
from tfrecords_builder.records import RecordsManifest

# Beside the network of the best epoch: the one the genotype was taken from.
FINAL_WEIGHTS_NAME = "final.weights.h5"


@dataclass(frozen=True)
class SearchData:
    """The three splits that a search reads; never the test speaker's."""

    weights: Split
    architecture: Split
    validation: Split


def load_search_data(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    config: SearchConfig,
) -> SearchData:
    """Training and validation speakers; see `SearchConfig`."""
    training = load_split(records_dir, manifest, fold.training)
    validation = load_split(records_dir, manifest, fold.validation)
    if config.architecture_split == "validation":
        return SearchData(training, validation, validation)
    first, second = halve(training.labels, config.seed)
    return SearchData(
        subset(training, first), subset(training, second), validation
    )


def search_fold(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: NetworkConfig,
    config: SearchConfig,
) -> Genotype:
    """Searches, and writes all a search leaves behind.

    `genotype.json` holds the cells of the last epoch (DARTS, algorithm 1);
    `network.weights.h5` the search network of the epoch with the best
    validation UA (paper, section 3.1), `final.weights.h5` that of the last
    one, which a derived network inherits. Goes on after a kill; a finished
    search is not run again.

    Returns:
      The genotype.

    Raises:
      UsageError: when the folder holds a search of other settings, two
        settings contradict each other, or its batches cannot be cut as asked.
      WorkError: when the loss stops being finite.
    """
    folder = directory.spectrogram
    check_search_settings(network_config, config)
    check_search_batches(manifest, fold, config)
    check_records(directory, manifest)
    claim_folder(
        folder,
        {
            "program": "search",
            "records": manifest.digest,
            "test_speaker": fold.test_speaker,
            **as_json(network_config),
            **as_json(config),
        },
    )
    title = f"search, fold {fold.number}, test speaker {fold.test_speaker}"
    if directory.info("search").is_file():
        show_progress(f"{title}: finished before, kept.")
        return load_genotype(directory.genotype)
    data = load_search_data(records_dir, manifest, fold, config)

    set_random_state(config)
    with make_strategy(config.distribute).scope():
        network = build_network(
            network_config,
            len(manifest.label_names),
            input_shape=data.weights.features.shape[1:3],
            seed=config.seed,
            precision=config.precision,
        )
        _set_up(network, network_config, config)
        model = _compile(network, data, config)
    initial = network.logits()
    num_steps = steps_per_epoch(len(data.weights.labels), config.batch_size)
    watch = EpochWatch(model, initial, data.architecture, config)
    best = fit_resumable(
        model,
        network,
        {
            "weights": model.weight_optimizer,
            "architecture": model.architecture_optimizer,
        },
        folder,
        title,
        config,
        num_steps,
        lambda first_step: search_batches(
            data.weights,
            data.architecture,
            config.batch_size,
            config.seed,
            first_step,
            config.epochs,
            balanced=config.class_balance == "sampling",
        ),
        evaluation_batches(data.validation),
        columns=watch.measure,
        callbacks=[
            SearchSchedule(model, config, num_steps),
            EpochEnd(
                lambda epoch: alpha_record.add_epoch(
                    folder,
                    epoch,
                    network.logits(),
                    network.strengths(),
                    initial,
                )
            ),
            ArchitectureSummaries(
                folder, network, initial, lambda: watch.columns
            ),
            MemoryWatch(
                title,
                network_config,
                config,
                data.weights.features.shape[1:3],
            ),
        ],
        is_over=lambda epochs: bool(
            reason_to_stop(folder, epochs, num_steps, config)
        ),
    )
    genotype = network.genotype()
    genotype.save(directory.genotype)
    save_weights(network, folder / FINAL_WEIGHTS_NAME)
    inherited_ua = None
    if "inherited" in network_config.systems:
        inherited = inherited_network(
            network, genotype, network_config, data.weights, config
        )
        inherited_ua = measure_ua(inherited, data.validation)
    announce(
        title,
        folder,
        watch_numbers(folder, network, config, num_steps, inherited_ua),
    )
    save_info(
        folder,
        describe_system(
            "search", network, network_config, None, manifest, best
        ),
    )
    return genotype


def load_final_search_network(
    directory: FoldDirectory, network_config: NetworkConfig, num_classes: int
) -> SearchNetwork:
    """The search network of the last epoch, whose cells the genotype has.

    Raises:
      WorkError: when its weights are missing or damaged.
    """
    network = build_network(network_config, num_classes)
    load_weights(network, directory.spectrogram / FINAL_WEIGHTS_NAME)
    return network


def _set_up(
    network: SearchNetwork, network_config: NetworkConfig, config: SearchConfig
) -> None:
    """How cells are derived and differentiated; what alpha's loss adds."""
    network.derivation = config.derivation
    network.max_skip_connections = config.max_skip_connections
    network.recomputes_cells = config.recompute
    sigmoids = network_config.relaxation == "sigmoid"
    network.penalties = make_penalties(
        config.beta_decay, config.zero_one_weight if sigmoids else 0.0
    )


def _compile(
    network: SearchNetwork, data: SearchData, config: SearchConfig
) -> BilevelSearch:
    factors = class_weights(
        config.class_balance, data.weights.labels, network.classifier.units
    )
    model = BilevelSearch(network, factors, config.order, config.micro_batches)
    model.compile(
        weight_optimizer=make_weight_optimizer(config),
        architecture_optimizer=CoupledAdam(
            config.architecture_learning_rate,
            weight_decay=config.architecture_weight_decay,
        ),
        jit_compile=config.jit_compile,
    )
    return model
