"""Random layers for the RTL: mapped, computed by the independent model, and compared."""

from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping, load_parameters, map_layer
from tests.independent import Layer, Options, compute_layer, map_convolution

__all__ = ["RandomLayer", "assert_result", "random_layer"]


@dataclass(frozen=True, eq=False)
class RandomLayer:
    """A mapped layer with input vectors, and the independent model's mapping of it."""

    options: Options
    mapping: LayerMapping
    inputs: np.ndarray
    model: Layer

    def assert_as_plain_loops_say(self, result):
        """Hold what a co-simulation gave to the independent model; returns the clips by tile."""
        outputs, clips = compute_layer(self.model, self.inputs.tolist(), self.options)
        assert_result(result, outputs, np.sum(clips, axis=0).tolist())
        return clips


def random_layer(rng, name, options, shape, groups, vectors):
    """Draw a convolution, for hardware that skips bit-cycles without ones, and its inputs."""
    weights = rng.standard_t(3, size=shape)
    parameters = load_parameters("paper", zero_skip=True, **options.as_dict())
    mapping = map_layer(name, weights, parameters, groups=groups)
    inputs = rng.integers(2**options.input_bits, size=(vectors, mapping.inputs))
    return RandomLayer(options, mapping, inputs, map_convolution(weights, options, groups))


def assert_result(result, outputs, clips):
    """Hold a co-simulated layer to outputs, clips of every plane, and the clocks predicted."""
    assert result.outputs.tolist() == outputs
    assert np.any(outputs), "zeros show nothing: choose another seed"
    report = result.as_dict()
    assert report["clips"] == clips
    assert report["clocks"] == report["predicted_clocks"] > 0
