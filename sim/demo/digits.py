"""A small classifier of handwritten digits, and what each step of SME does to its accuracy."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.cosim import CosimResult, Session
from sim.golden.compute_unit import compute_unit
from sim.mapping import LayerMapping, Parameters, map_layer
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

__all__ = ["Classifier", "DemoResult", "QuantisedLayer", "run_demo", "train"]

SEED = 2026
HIDDEN = 64
CALIBRATION = 256
"""Training images that set the input scales."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained two-layer perceptron and its test images.

    Parameters
    ----------
    weights : list of numpy.ndarray, shape (out, in)
    biases : list of numpy.ndarray, shape (out,)
    train_images, test_images : numpy.ndarray of float64, shape (images, 64)
        Pixels in 0..1.
    test_labels : numpy.ndarray, shape (images,)
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    train_images: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def train() -> Classifier:
    """Train on scikit-learn's digits, seeded; takes a few seconds.

    Raises
    ------
    InputError
        scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
        from sklearn.neural_network import MLPClassifier
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise InputError("the demo needs scikit-learn: pip install sme[demo]") from None
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16, labels, test_size=360, random_state=SEED, stratify=labels)
    train_images, test_images, train_labels, test_labels = split
    model = MLPClassifier((HIDDEN,), alpha=1e-3, max_iter=400, random_state=SEED)
    # The products are so small that threads would do little but wait for one another.
    with threadpool_limits(1):
        model.fit(train_images, train_labels)
    weights = [matrix.T for matrix in model.coefs_]
    return Classifier(weights, model.intercepts_, train_images, test_images, test_labels)


Product = Callable[[int, np.ndarray], np.ndarray]
"""Computes layer n: integer vectors in, int64 results in code steps times input steps."""


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """How a layer's numbers relate to the hardware's integers.

    Parameters
    ----------
    mapping : LayerMapping
    bias : numpy.ndarray of float64, shape (out,)
    input_step : float
        What an input of 1 stands for.
    """

    mapping: LayerMapping
    bias: np.ndarray
    input_step: float

    def to_integers(self, values: np.ndarray) -> np.ndarray:
        """Quantise activations to the hardware's inputs; what is out of range saturates."""
        low, high = self.mapping.parameters.hardware.input_range
        return np.clip(np.floor(values / self.input_step + 0.5), low, high).astype(np.int64)

    def to_reals(self, results: np.ndarray) -> np.ndarray:
        """Turn integer results into the layer's outputs."""
        return results * (self.mapping.code_steps * self.input_step) + self.bias


def _forward_float(net: Classifier, images: np.ndarray) -> list[np.ndarray]:
    """Return the inputs of both layers, and the outputs."""
    hidden = np.maximum(images @ net.weights[0].T + net.biases[0], 0)
    return [images, hidden, hidden @ net.weights[1].T + net.biases[1]]


def quantise(net: Classifier, parameters: Parameters) -> list[QuantisedLayer]:
    """Map both layers and calibrate their input scales on training images."""
    largest = parameters.hardware.input_range[1]
    activations = _forward_float(net, net.train_images[:CALIBRATION])
    return [
        QuantisedLayer(
            map_layer(f"layer {n + 1}", weights, parameters), bias, float(inputs.max()) / largest
        )
        for n, (weights, bias, inputs) in enumerate(
            zip(net.weights, net.biases, activations[:-1], strict=True)
        )
    ]


def _forward(layers: list[QuantisedLayer], images: np.ndarray, product: Product) -> np.ndarray:
    """Return the classes of images when ``product`` computes the layers."""
    values = images
    for n, layer in enumerate(layers):
        values = layer.to_reals(product(n, layer.to_integers(values)))
        if n + 1 < len(layers):
            values = np.maximum(values, 0)
    return values.argmax(axis=1)


def _exact_product(layers: list[QuantisedLayer]) -> Product:
    """Return a product without ADCs: the mapped weights as they are."""
    hardware = layers[0].mapping.parameters.hardware
    weights = [
        np.hstack([matrix.weights(hardware) for matrix in layer.mapping.matrices])
        for layer in layers
    ]
    return lambda n, inputs: inputs @ weights[n].astype(np.int64)


def _golden_product(layers: list[QuantisedLayer]) -> Product:
    """Return the product of the golden model, tile by tile, ADCs included."""
    hardware: HardwareParams = layers[0].mapping.parameters.hardware

    def product(n: int, inputs: np.ndarray) -> np.ndarray:
        mapping = layers[n].mapping
        results = np.zeros((len(inputs), mapping.outputs), np.int64)
        for matrix in mapping.matrices:
            out = results[:, matrix.placement.output_slice]
            for tile in matrix.tiles(hardware):
                image = matrix.image(tile, hardware)
                out[:, tile.columns] += compute_unit(image, hardware, inputs[:, tile.rows])[0]
        return results

    return product


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demo found.

    Parameters
    ----------
    accuracy : dict
        Top-1 in percent: ``float``, ``quantised`` (no squeeze-out), ``squeezed``, ``rtl`` (from
        the RTL's own outputs) and ``plain`` (the control at equal planes).
    crossbars : dict
        By scheme: conventional, sliced, squeezed, and plain.
    before, layers : list of LayerMapping
        The mappings without and with squeeze-out.
    runs : list of CosimResult
        One per layer.
    images : int
        Test images.
    """

    accuracy: dict[str, float]
    crossbars: dict[str, int]
    before: list[LayerMapping]
    layers: list[LayerMapping]
    runs: list[CosimResult]
    images: int

    @property
    def equal(self) -> bool:
        """The RTL did what the golden model says."""
        return all(run.equal for run in self.runs)

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        tiles = [tile for run in self.runs for tile in run.tiles]
        timed = [tile for tile in tiles if not tile.stalled]
        return {
            "equal": self.equal,
            "images": self.images,
            "accuracy_percent": self.accuracy,
            "crossbars": self.crossbars,
            "tiles": sum(layer.counts.tiles for layer in self.layers),
            "vectors_compared": sum(tile.vectors for tile in tiles),
            "mismatches": sum(tile.mismatches for tile in tiles),
            "clips": sum(sum(tile.clips) for tile in tiles),
            "clocks_per_vector": [
                {"tile": tile.name, "clocks": round(tile.cycles / tile.vectors, 2)}
                for tile in timed
            ],
            "parameters": self.layers[0].parameters.as_dict(),
            "layers": [
                {"name": layer.name, "counts": asdict(layer.counts)} for layer in self.layers
            ],
        }


def _control(parameters: Parameters) -> Parameters:
    """Return the parameters of the control: as many planes, no SME."""
    return Parameters.build(parameters.as_dict() | {"policy": "plain"})


def run_demo(
    parameters: Parameters,
    directory: Path,
    *,
    simulator: str = "verilator",
    status: Callable[[str, float], None] = lambda text, done: None,
) -> DemoResult:
    """Train, map, generate, run all test images through the RTL, and compare.

    Parameters
    ----------
    parameters : Parameters
    directory : path
        Where the generated design goes.
    simulator : str
    status : callable, optional
        Told what is being done, and what part of it is done.
    """
    if parameters.hardware.input_range[1] < 1:
        raise InputError("the demo has positive inputs: signed input_bits = 1 hold only -1 and 0")
    status("training", 0.0)
    net = train()
    images, labels = net.test_images, net.test_labels
    layers = quantise(net, parameters)
    session = Session(parameters, directory, simulator=simulator, status=status)
    runs: list[CosimResult] = []

    def rtl(n: int, inputs: np.ndarray) -> np.ndarray:
        runs.append(session.run(layers[n].mapping, inputs))
        return runs[-1].outputs

    def percent(classes: np.ndarray) -> float:
        return round(100 * float(np.mean(classes == labels)), 2)

    kept = quantise(net, parameters.without_squeeze())
    plain = quantise(net, _control(parameters))
    accuracy = {
        "float": percent(_forward_float(net, images)[-1].argmax(axis=1)),
        "quantised": percent(_forward(kept, images, _exact_product(kept))),
        "squeezed": percent(_forward(layers, images, _exact_product(layers))),
        "rtl": percent(_forward(layers, images, rtl)),
        "plain": percent(_forward(plain, images, _golden_product(plain))),
    }
    counts = [layer.mapping.counts for layer in layers]
    crossbars = {
        kind: sum(getattr(count, kind) for count in counts)
        for kind in ("conventional", "sliced", "squeezed", "physical")
    }
    crossbars["plain"] = sum(layer.mapping.counts.squeezed for layer in plain)
    mappings = [layer.mapping for layer in layers]
    before = [layer.mapping for layer in kept]
    return DemoResult(accuracy, crossbars, before, mappings, runs, len(images))
