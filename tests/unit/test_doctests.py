"""Examples in docstrings are true."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    ["sim.mapping.layer_params", "sim.mapping.mapping", "sim.mapping.schedule", "sme_hw.errors"],
)
def test_examples(name):
    """Every example of the module gives what it shows."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
