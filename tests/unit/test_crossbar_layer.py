"""Layers of networks on crossbars: exact integers for windows, groups, zero points and clips."""

import numpy as np
import pytest

from sim.golden.compute_unit import compute_unit_bit_serial
from sim.mapping import Quantisation, load_parameters
from sim.network.crossbar_layer import layer_weights
from sim.network.layer import NetworkLayer, Window
from sme_hw.errors import InputError
from tests.network_cases import layer_on_crossbars


def random_layer(rng, *, integers=False):
    """Return a random convolution and the size of its input."""
    groups = int(rng.choice([1, 2, 3]))
    per_group, outputs = int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    kernel, strides, dilations = (tuple(rng.integers(1, 4, 2).tolist()) for _ in range(3))
    pads = tuple(rng.integers(0, 3, 4).tolist())
    weights = rng.normal(size=(outputs, per_group, *kernel))
    layer = NetworkLayer(
        "conv",
        "Conv",
        "x",
        "y",
        np.round(weights * 30).clip(-127, 127).astype(np.int16) if integers else weights,
        rng.uniform(0.5, 2, outputs) if integers else np.ones(outputs),
        rng.normal(size=outputs),
        groups,
        Window(kernel, strides, dilations, pads),
        None,
    )
    return layer, (2, groups * per_group, int(rng.integers(7, 10)), int(rng.integers(7, 10)))


def dense_weights(mapping):
    """Return the integer weights of every output for its group's inputs, (out, inputs of a group).

    Taken from the matrices one group at a time.
    """
    rows = []
    for matrix, weights in zip(mapping.matrices, layer_weights(mapping), strict=True):
        place = matrix.placement
        for number in range(len(place.groups)):
            part = slice(number * place.rows, (number + 1) * place.rows)
            columns = slice(number * place.columns, (number + 1) * place.columns)
            rows.append(weights[part, columns].T)
    return np.concatenate(rows)


def direct_convolution(integers, weights, layer, padding):
    """Return integer sums by going through images, outputs and kernel one by one."""
    window = layer.window
    top, left, bottom, right = window.pads
    padded = np.full(
        (*integers.shape[:2], integers.shape[2] + top + bottom, integers.shape[3] + left + right),
        padding,
        np.int64,
    )
    padded[:, :, top : top + integers.shape[2], left : left + integers.shape[3]] = integers
    kh, kw = window.kernel
    reach = [(k - 1) * d + 1 for k, d in zip(window.kernel, window.dilations, strict=True)]
    sizes = [(padded.shape[2 + a] - reach[a]) // window.strides[a] + 1 for a in (0, 1)]
    outputs = len(weights)
    per_group = integers.shape[1] // layer.groups
    result = np.zeros((len(integers), outputs, *sizes), np.int64)
    for o in range(outputs):
        group = o // (outputs // layer.groups)
        kernel = weights[o].reshape(per_group, kh, kw)
        for y in range(sizes[0]):
            for x in range(sizes[1]):
                for c in range(per_group):
                    for i in range(kh):
                        for j in range(kw):
                            row = y * window.strides[0] + i * window.dilations[0]
                            column = x * window.strides[1] + j * window.dilations[1]
                            values = padded[:, group * per_group + c, row, column]
                            result[:, o, y, x] += values * int(kernel[c, i, j])
    return result


@pytest.mark.parametrize("seed", range(12))
def test_convolution_is_exact_and_padding_is_zero(seed):
    """Integers are those of a direct convolution; in reals, what is padded counts nothing."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    layer, shape = random_layer(rng, integers=seed % 3 == 0)
    parameters = load_parameters(
        "small", rows=8, cols=6, inputs_per_beat=1, adc_bits="lossless", squeeze=int(seed % 3)
    )
    quantisation = Quantisation(0.125, int(rng.integers(0, 256)), 0, 255)
    crossbars = layer_on_crossbars(layer, parameters, quantisation)
    integers = rng.integers(0, 256, shape)
    weights = dense_weights(crossbars.mapping)
    zero = quantisation.zero_point
    expected = direct_convolution(integers, weights, layer, zero)
    results = crossbars.apply(
        integers.astype(np.float32), lambda vectors: crossbars.engine.run(vectors)[0], zero
    )
    assert results.tolist() == expected.tolist()
    work = crossbars.idle()
    reals = crossbars(quantisation.to_reals(integers), work)
    centred = direct_convolution(integers - zero, weights, layer, 0)
    steps = (crossbars.steps * 0.125).reshape(-1, 1, 1)
    np.testing.assert_allclose(
        reals, centred * steps + layer.bias.reshape(-1, 1, 1), rtol=1e-5, atol=1e-4
    )
    assert work.vectors == results[:, 0].size
    assert not work.clips.any()


@pytest.mark.parametrize("seed", [0, 1, 2, 4])  # layers of several inputs, so that sums clip
def test_clips_are_those_of_the_golden_model(seed):
    """With ADCs that clip, every tile's results and clip counters are the referee's."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    layer, shape = random_layer(rng)
    parameters = load_parameters(
        "small", rows=8, cols=6, codec="int8", adc_bits=1, rows_active=(4, 8)[seed % 2]
    )
    hardware = parameters.hardware
    crossbars = layer_on_crossbars(layer, parameters, Quantisation(1.0, 7, 0, 255))
    integers = rng.integers(0, 256, shape).astype(np.float32)
    results = crossbars.apply(integers, lambda vectors: crossbars.engine.run(vectors)[0], 7)
    work = crossbars.idle()
    crossbars(integers - 7, work)
    clips, expected = 0, []
    for _, vectors, _ in crossbars.blocks(integers, 7):
        total = np.zeros((len(vectors), len(layer.weights)), np.int64)
        for matrix in crossbars.mapping.matrices:
            place = matrix.placement
            part = vectors[:, place.input_slice].astype(np.int64)
            out = total[:, place.output_slice]
            for tile in matrix.tiles(hardware):
                image = matrix.image(tile, hardware)
                values, counts = compute_unit_bit_serial(image, hardware, part[:, tile.rows])
                out[:, tile.columns] += values
                clips = clips + counts
        expected.append(total)
    flat = np.moveaxis(results, 1, -1).reshape(-1, len(layer.weights))
    assert flat.tolist() == np.concatenate(expected).tolist()
    assert work.clips.tolist() == clips.tolist()
    assert work.clips.any()


def test_blocks_cut_large_inputs_anywhere(monkeypatch):
    """Blocks of few vectors give what one block gives: cut between images and between rows."""
    rng = np.random.default_rng(1)
    layer, shape = random_layer(rng)
    parameters = load_parameters("small", adc_bits="lossless")
    crossbars = layer_on_crossbars(layer, parameters, Quantisation(1.0, 0, 0, 255))
    values = rng.integers(0, 256, shape).astype(np.float32)
    whole = crossbars(values)
    for elements in (1, 500, 3000):
        monkeypatch.setattr("sim.network.crossbar_layer._ELEMENTS", elements)
        assert crossbars(values).tolist() == whole.tolist()


def test_same_padding_follows_onnx():
    """An odd padding has its larger half behind (upper) or before (lower)."""
    upper = Window((3, 2), (2, 1), (1, 1), None, "upper")
    lower = Window((3, 2), (2, 1), (1, 1), None, "lower")
    assert upper.padding(6, 5) == (0, 0, 1, 1)
    assert lower.padding(6, 5) == (1, 1, 0, 0)
    assert upper.outputs(6, 5) == (3, 5)


def test_window_larger_than_its_input_is_refused():
    """Both sizes are named."""
    wide = Window((9, 9), (1, 1), (1, 1), (0, 0, 0, 0))
    with pytest.raises(InputError, match="4 x 4 is smaller than a window of 9 x 9"):
        wide.windows(np.zeros((1, 3, 4, 4), np.float32), 0)


def test_quantisation_rounds_and_saturates():
    """Halves go up; what is out of range stays at its end."""
    quantisation = Quantisation(0.5, 10, 0, 255)
    values = np.array([-100, -5, 0, 0.24, 0.25, 0.75, 122.5, 1e6])
    assert quantisation.to_integers(values).tolist() == [0, 0, 10, 10, 11, 12, 255, 255]
    assert quantisation.to_reals(np.array([0, 10, 255])).tolist() == [-5, 0, 122.5]
