"""Plans: every matrix once, few products, nothing read before it is known."""

import pytest

from emotion_nas_tf.recurrent.generator import generate_pool
from emotion_nas_tf.recurrent.nodes import LINEAR
from emotion_nas_tf.recurrent.plan import Product, make_plan
from emotion_nas_tf.recurrent.recipe_files import built_in


def test_gates_of_an_lstm_are_one_product():
    plan = make_plan(built_in("lstm"))
    gates = tuple(
        f"{name}_linear"
        for name in ("input_gate", "forget_gate", "output_gate", "candidate")
    )
    assert plan.products == (Product(("h_prev_0",), gates),)
    assert plan.inputs == plan.linears == gates
    # Their activations are all that the backward pass needs.
    assert plan.kept == tuple(name.removesuffix("_linear") for name in gates)


def test_gru_needs_two_products():
    plan = make_plan(built_in("gru"))
    assert [product.sources for product in plan.products] == [
        ("h_prev_0",),
        ("reset_state",),
    ]


def test_linears_that_read_alike_are_multiplied_by_target():
    """Two states into one node: one product of twice the depth."""
    recipe = built_in("table4")
    plan = make_plan(recipe)
    assert len(plan.hidden) == 14
    # Its linears read seven different values beside x.
    assert len(plan.products) == 7
    assert plan.states == ("h_new_0", "h_new_1")


@pytest.mark.parametrize("recipe", generate_pool(40, 2))
def test_plans_cover_the_recipe(recipe):
    plan = make_plan(recipe)
    blocks = [block for p in plan.products for block in p.blocks]
    assert sorted(blocks) == sorted(plan.hidden)
    assert len(plan.products) <= len(set(plan.linears) | set(blocks))
    known, multiplied = set(plan.previous), {"x"}
    for each in plan.rounds:
        for node in each.nodes:
            ready = multiplied if node.op == LINEAR else known
            assert ready.issuperset(node.inputs)
            known.add(node.name)
        for product in each.products:
            assert known.issuperset(product.sources)
            multiplied.update(product.sources)
    assert [n for n in plan.nodes if n not in recipe.nodes] == []
    assert len(plan.nodes) == len(recipe.nodes)
