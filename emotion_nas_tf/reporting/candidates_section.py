"""What the report says about the search among recurrent cells."""

import json
from pathlib import Path

from emotion_nas_tf.evaluation.tables import percent
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import load_recipe
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.reading import damaged, read_rows
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.visualization.recipe_boxes import recipe_lines
from emotion_nas_tf.visualization.recipe_graph import draw_recipe
from tfrecords_builder.errors import UsageError

TABLE_NAME = "candidates.csv"
_MOST_ROWS, _MOST_DRAWN = 10, 3


def recurrent_section(directory: FoldDirectory) -> list[str]:
    """The found recurrent cell, and who it competed with."""
    pieces = []
    if directory.recipe.is_file():
        recipe = load_recipe(directory.recipe)
        pieces += [
            elements.figure(draw_recipe(recipe), "The found recurrent cell."),
            elements.details(
                "The recurrent cell as text",
                elements.preformatted(recipe_lines(recipe)),
            ),
        ]
    return pieces + _candidates(directory.recurrent / TABLE_NAME)


def _candidates(path: Path) -> list[str]:
    rows = read_rows(path)
    if not rows:
        return []
    try:
        shown = [_row(row) for row in rows[:_MOST_ROWS]]
        drawings = [
            (row["name"], Recipe.from_mapping(json.loads(row["recipe"])))
            for row in rows[:_MOST_DRAWN]
        ]
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise damaged(path, error) from None
    lost = sum(row["status"] != "ok" for row in rows)
    text = f"{len(rows)} candidates were trained"
    if lost:
        text += f"; {lost} diverged or failed and rank last"
    if len(rows) > _MOST_ROWS:
        text += f". The best {_MOST_ROWS} (all are in {TABLE_NAME})"
    header = ["", "epochs", "validation loss", "validation UA", "weights"]
    return [
        elements.heading("The candidates", 4),
        elements.paragraph(f"{text}:"),
        elements.table(header, shown, [0]),
        elements.details(
            f"The best {len(drawings)}, drawn",
            elements.grid(
                [
                    elements.figure(draw_recipe(recipe), name)
                    for name, recipe in drawings
                ]
            ),
        ),
    ]


def _row(row: dict[str, str]) -> list[str]:
    loss, ua = row["validation_loss"], row["validation_ua"]
    return [
        f"{row['place']}. {row['name']}",
        row["epochs"],
        f"{float(loss):.3f}" if loss else row["status"],
        percent(float(ua)) if ua else "-",
        f"{int(row['parameters']):,}" if row["parameters"] else "-",
    ]
