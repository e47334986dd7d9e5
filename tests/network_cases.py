"""The exported test networks as tests take them: read, with images, and on crossbars."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from sim.mapping import LayerCalibration, layer_parameters, load_parameters, map_layer
from sim.mapping.layer_params import LayerRule
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.crossbar_layer import CrossbarLayer
from sim.network.mapped_network import assemble, map_network
from sim.network.network import read_network

__all__ = [
    "FOLDER",
    "NETWORKS",
    "copy_networks",
    "fixture_images",
    "fixture_network",
    "layer_on_crossbars",
    "on_crossbars",
]

FOLDER = Path(__file__).parent / "networks"
NETWORKS = sorted(path.stem for path in FOLDER.glob("*.onnx"))


@cache
def fixture_network(stem):
    """Return one of the networks."""
    return read_network(FOLDER / f"{stem}.onnx")


def copy_networks(folder):
    """Put a float and a quantised network, and images for each, where commands find them."""
    for source, name in (
        ("plain_dynamo.onnx", "plain.onnx"),
        ("plain.npz", "plain.npz"),
        ("residual_qdq.onnx", "quantised.onnx"),
        ("residual.npz", "residual.npz"),
    ):
        shutil.copy(FOLDER / source, folder / name)


def fixture_images(stem):
    """Return 16 images as a network takes them, and their labels."""
    with np.load(FOLDER / f"{stem.partition('_')[0]}.npz") as archive:
        return archive["images"].astype(np.float32) / np.float32(255), archive["labels"]


def layer_on_crossbars(layer, parameters, quantisation):
    """Map a layer for inputs that are quantised like that."""
    weights = quantisation.fold(layer.weights, layer.groups)
    mapping = map_layer(layer.name, weights, parameters, groups=layer.groups)
    calibration = LayerCalibration(quantisation, layer.bias)
    return CrossbarLayer(layer, replace(mapping, calibration=calibration))


def on_crossbars(network, images, preset="paper", *, params=None, second=None, **options):
    """Calibrate a network on images and map it; ``second`` are options of every second layer.

    Parameters
    ----------
    params : CalibrationParams, optional
    """
    names = [layer.name for layer in network.layers]
    rules = [] if second is None else [LayerRule("second", name, second) for name in names[1::2]]
    found = layer_parameters(load_parameters(preset, **options), rules, names)
    parameters = [found[name] for name in names]
    hardware = [chosen.hardware for chosen in parameters]
    quantisations = calibrate_network(
        network, [(images, None)], hardware, params or CalibrationParams()
    )
    return assemble(network, map_network(network, parameters, quantisations))
