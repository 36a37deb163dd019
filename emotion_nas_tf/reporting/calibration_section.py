"""What the report says about confidence: are 80 % sure answers 80 % right?"""

from collections.abc import Mapping

from emotion_nas_tf.evaluation.tables import percent
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.overall import title
from emotion_nas_tf.systems import result_of
from emotion_nas_tf.visualization.result_plots import reliability_figure


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
                "a system more or less sure; it changes no answer.",
                "note",
            ),
        ]
    )
