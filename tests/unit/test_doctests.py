"""Examples in docstrings are true."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        *("sim.mapping.layer_params", "sim.mapping.mapping", "sim.mapping.schedule"),
        *("sme_host.frames", "sme_hw.bus.bit_clock", "sme_hw.bus.link_format", "sme_hw.errors"),
    ],
)
def test_examples(name):
    """Every example of the module gives what it shows."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
