"""Clips at the configured ADC, measured on input vectors."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sim.cosim import check_inputs
from sim.golden.compute_unit import count_clips, vector_bit_cycles
from sim.mapping import LayerMapping, LayerWeights, read_array, read_arrays
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

__all__ = ["ClipReport", "measure_clips", "random_batches", "read_inputs"]

_ELEMENTS = 1 << 22
"""Elements of the random vectors that exist at a time: 32 MB."""


@dataclass(frozen=True)
class ClipReport:
    """How often the conversions of a layer clip.

    Parameters
    ----------
    vectors : int
    conversions : int
        Executed conversions of each built plane: both signs, columns in use, all tiles.
    clipped : tuple of int
        Those that clipped, the most significant plane first.
    """

    vectors: int
    conversions: int
    clipped: tuple[int, ...]

    @property
    def shares(self) -> list[float]:
        """What part of the conversions of each plane clipped, 0..1."""
        return [clipped / self.conversions for clipped in self.clipped]

    def as_dict(self) -> dict[str, object]:
        """Return what machines read."""
        return {
            "vectors": self.vectors,
            "conversions": [self.conversions] * len(self.clipped),
            "clipped": list(self.clipped),
            "share": self.shares,
        }


def read_inputs(
    path: str, layers: list[LayerWeights], hardware: Mapping[str, HardwareParams]
) -> dict[str, np.ndarray]:
    """Read input vectors for some layers.

    Parameters
    ----------
    path : str
        A .npy of integers, vectors x inputs, if there is one layer; or a .npz with such arrays,
        named like layers. Inputs of a convolution's groups follow one another.
    layers : list of LayerWeights
    hardware : mapping of str to HardwareParams
        Tells the inputs' range for each layer.

    Returns
    -------
    dict of str to numpy.ndarray of int64, shape (vectors, inputs)

    Raises
    ------
    InputError
        The file cannot be read, an array is for no layer or does not fit it, or an input is out
        of range.
    """
    names = [layer.name for layer in layers]
    if path.endswith(".npz"):
        arrays = read_arrays(path)
    elif len(layers) == 1:
        arrays = {names[0]: read_array(path)}
    else:
        raise InputError(f"{path}: for {len(layers)} layers, a .npz with arrays named like them")
    for name in arrays:
        if name not in names:
            raise InputError(f"{path}: {name}: there is no such layer, only {', '.join(names)}")
    if not arrays:
        raise InputError(f"{path} holds no array; names of layers are {', '.join(names)}")
    rows = {layer.name: layer.groups * math.prod(layer.weights.shape[1:]) for layer in layers}
    checked = {}
    for name, array in arrays.items():
        try:
            checked[name] = check_inputs(array, rows[name], hardware[name])
        except InputError as error:
            raise InputError(f"{path}: {name}: {error}") from None
    return checked


def random_batches(
    rows: int, vectors: int, hardware: HardwareParams, seed: int
) -> Iterator[np.ndarray]:
    """Yield uniformly random input vectors, few enough at a time to fit the memory.

    Together they are what one call of ``numpy.random.default_rng(seed).integers`` returns.

    Parameters
    ----------
    rows : int
        Elements of a vector.
    vectors : int
        How many in all.
    hardware : HardwareParams
        Tells the range.
    seed : int
    """
    rng = np.random.default_rng(seed)
    low, high = hardware.input_range
    batch = max(1, _ELEMENTS // rows)
    for start in range(0, vectors, batch):
        yield rng.integers(low, high + 1, size=(min(batch, vectors - start), rows))


def measure_clips(
    layer: LayerMapping,
    batches: Iterable[np.ndarray],
    progress: Callable[[int], None] | None = None,
) -> ClipReport:
    """Count the conversions of a layer and those that clip, by the golden model.

    Parameters
    ----------
    layer : LayerMapping
    batches : iterable of numpy.ndarray of integers, shape (vectors, inputs of the layer)
        Inputs within range; those of a convolution's groups follow one another.
    progress : callable, optional
        Told how many vectors a batch has, whenever a tile has taken it.
    """
    hardware = layer.parameters.hardware
    vectors = conversions = 0
    clipped = np.zeros(hardware.planes, np.int64)
    for inputs in batches:
        vectors += len(inputs)
        for matrix in layer.matrices:
            part = inputs[:, matrix.placement.input_slice]
            for tile in matrix.tiles(hardware):
                image = matrix.image(tile, hardware)
                taken = part[:, tile.rows]
                cycles = int(vector_bit_cycles(image, hardware, taken).sum())
                conversions += 2 * image.columns * cycles
                clipped += count_clips(image, hardware, taken)
                if progress is not None:
                    progress(len(taken))
    return ClipReport(vectors, conversions, tuple(clipped.tolist()))
