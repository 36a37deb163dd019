"""What the report says about confidence: are 80 % sure answers 80 % right?"""

from collections.abc import Iterator, Mapping

from emotion_nas_tf.evaluation.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
)
from emotion_nas_tf.evaluation.tables import percent
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.overall import title
from emotion_nas_tf.systems import result_of
from emotion_nas_tf.visualization.result_plots import reliability_figure

_NEAR = 1.01


def calibration_section(results: Mapping) -> str:
    """A reliability diagram for each system; empty when none was measured."""
    measured = {
        system: values["calibration"]
        for system, values in results["summary"].items()
        if values.get("calibration")
    }
    if not measured:
        return ""
    rows = [
        [
            title(system),
            percent(values["ece"]),
            percent(values["ece_after"]),
            f"{values['nll']:.3f}",
            f"{values['nll_after']:.3f}",
            ", ".join(f"{t:.2f}" for t in values["temperatures"]),
        ]
        for system, values in measured.items()
    ]
    return "".join(
        [
            elements.heading("Calibration"),
            elements.table(
                [
                    "",
                    "calibration error",
                    "with temperature",
                    "log loss, nats",
                    "with temperature",
                    "temperatures",
                ],
                rows,
            ),
            elements.grid_of_systems(
                {
                    system: elements.figure(
                        reliability_figure(values["bins"], values["ece"]),
                        f"{title(system)}: on the diagonal, answers are right "
                        "as often as the system is sure.",
                    )
                    for system, values in measured.items()
                },
                result_of(measured),
            ),
            elements.paragraph(
                "Expected calibration error over bins of equal width. A "
                "temperature, fitted on each test's validation speaker, makes "
                "a system more or less sure; it changes no answer. It is worth "
                "nothing where a fusion was fitted on the same speaker.",
                "note",
            ),
            *(elements.paragraph(text) for text in _warnings(measured)),
        ]
    )


def _warnings(measured: Mapping[str, Mapping]) -> Iterator[str]:
    """Where a temperature does harm, and where it is no measurement."""
    raised = [s for s, v in measured.items() if v["nll_after"] > v["nll"]]
    both = [s for s in raised if measured[s]["ece_after"] > measured[s]["ece"]]
    alone = [s for s in raised if s not in both]
    for what, systems in (
        ("calibration error and log loss", both),
        ("the log loss alone", alone),
    ):
        if systems:
            yield (
                f"On the test speakers the temperature makes {what} worse for "
                f"{', '.join(map(title, systems))}."
            )
    ends = [
        f"{title(system)} ({count} of {len(values['temperatures'])})"
        for system, values in measured.items()
        if (count := sum(map(_is_at_an_end, values["temperatures"])))
    ]
    if ends:
        yield (
            f"Temperatures at an end of their range, {LOWEST_TEMPERATURE:g} to "
            f"{HIGHEST_TEMPERATURE:g}, in tests of {', '.join(ends)}: there "
            "the validation speaker does not tell which is best, as when every "
            "answer is right."
        )


def _is_at_an_end(temperature: float) -> bool:
    # The search comes near an end, not to it.
    return not (
        LOWEST_TEMPERATURE * _NEAR < temperature < HIGHEST_TEMPERATURE / _NEAR
    )
