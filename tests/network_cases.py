"""The exported test networks as tests take them: read, with images, and on crossbars."""

from functools import cache
from pathlib import Path

import numpy as np

from sim.mapping import layer_parameters, load_parameters
from sim.mapping.layer_params import LayerRule
from sim.network.mapped_network import map_network, prepare
from sim.network.network import read_network

__all__ = ["FOLDER", "NETWORKS", "fixture_images", "fixture_network", "on_crossbars"]

FOLDER = Path(__file__).parent / "networks"
NETWORKS = sorted(path.stem for path in FOLDER.glob("*.onnx"))


@cache
def fixture_network(stem):
    """Return one of the networks."""
    return read_network(FOLDER / f"{stem}.onnx")


def fixture_images(stem):
    """Return 16 images as a network takes them, and their labels."""
    with np.load(FOLDER / f"{stem.partition('_')[0]}.npz") as archive:
        return archive["images"].astype(np.float32) / np.float32(255), archive["labels"]


def on_crossbars(
    network, images, preset="paper", *, zero_point=True, method="mse", second=None, **options
):
    """Map a network and calibrate it on images; ``second`` are options of every second layer."""
    names = [layer.name for layer in network.layers]
    rules = [] if second is None else [LayerRule("second", name, second) for name in names[1::2]]
    parameters = layer_parameters(load_parameters(preset, **options), rules, names)
    mappings = map_network(network, [parameters[n] for n in names], lambda name, count: None)
    return prepare(network, mappings, [(images, None)], method=method, zero_point=zero_point)
