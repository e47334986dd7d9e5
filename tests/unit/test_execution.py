"""The engine's paths against the golden model, conversion by conversion."""

import os
import subprocess
import sys

import numpy as np
import pytest

import sim.execution
from sim.execution import LayerEngine
from sim.execution.products import ExactProduct
from sim.golden.compute_unit import compute_unit, compute_unit_bit_serial, vector_bit_cycles
from sim.mapping import load_parameters, map_layer, map_matrix
from sme_hw.errors import InputError
from tests.random_cases import (
    random_hardware,
    random_inputs,
    random_mapping,
    random_weights,
    seeded,
)


def by_tiles(model, layer, inputs):
    """Run a golden model on every tile of a layer: results, clips, conversions of a plane."""
    hardware = layer.parameters.hardware
    results = np.zeros((len(inputs), layer.outputs), np.int64)
    clips = np.zeros(hardware.planes, np.int64)
    conversions = 0
    for matrix in layer.matrices:
        taken = inputs[:, matrix.placement.input_slice]
        out = results[:, matrix.placement.output_slice]
        for tile in matrix.tiles(hardware):
            image = matrix.image(tile, hardware)
            part, tile_clips = model(image, hardware, taken[:, tile.rows])
            out[:, tile.columns] += part
            clips += tile_clips
            cycles = vector_bit_cycles(image, hardware, taken[:, tile.rows]).sum()
            conversions += 2 * image.columns * int(cycles)
    return results, clips, conversions


def check(layer, inputs, message=""):
    """Compare the engine with both golden models; return it, and the clips."""
    engine = LayerEngine(layer)
    results, clips = engine.run(inputs)
    assert results.dtype == np.float64
    assert clips.dtype == np.int64
    for model in (compute_unit, compute_unit_bit_serial):
        expected, expected_clips, conversions = by_tiles(model, layer, inputs.astype(np.int64))
        np.testing.assert_array_equal(results, expected, message)
        np.testing.assert_array_equal(clips, expected_clips, message)
    assert engine.conversions(inputs.astype(np.int64)) == conversions, message
    return engine, clips


def random_layer(rng, kind, **fixed):
    """Return a mapped layer of some kind with random parameters, and its options."""
    sizes = {"rows": int(rng.integers(4, 41)), "cols": int(rng.integers(4, 41))}
    options = random_hardware(rng, random_mapping(rng, **sizes, **fixed))
    parameters = load_parameters(
        "tiny",
        **options.as_dict(),
        grouping=str(rng.choice(["none", "shift", "balanced", "magnitude"])),
        zero_skip=bool(rng.integers(2)),
    )
    if kind == "dense":
        shape, groups = (int(rng.integers(1, 60)), int(rng.integers(1, 80))), 1
    elif kind == "grouped":
        groups = int(rng.integers(2, 5))
        shape = (groups * int(rng.integers(1, 7)), int(rng.integers(1, 5)), 2, 2)
    else:
        groups = int(rng.integers(2, 20))
        shape = (groups, 1, int(rng.integers(1, 4)), 3)
    weights = random_weights(rng, shape, options)
    return map_layer(kind, weights, parameters, groups=groups), options


@pytest.mark.parametrize("fixed", [{}, {"policy": "split"}], ids=["any policy", "split"])
@pytest.mark.parametrize("kind", ["dense", "grouped", "depthwise"])
def test_random_layers(kind, fixed):
    """Whatever the parameters: results, clips and conversions are the golden model's."""
    rng = seeded({"dense": 501, "grouped": 502, "depthwise": 503}[kind])
    clipped = converted = 0
    for case in range(60):
        layer, options = random_layer(rng, kind, **fixed)
        vectors = int(rng.choice([1, 3, 63, 64, 65, 130]))
        inputs = random_inputs(rng, (vectors, layer.inputs), options)
        inputs = inputs.astype(rng.choice([np.int64, np.int32, np.float32]))
        engine, clips = check(layer, inputs, f"case {case}: {layer.parameters}")
        clipped += bool(clips.any())
        converted += bool(engine.paths.converted_tiles)
    assert 5 < clipped < converted < 55


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("lsb", [0, 1, 3])
def test_extremes(signed, lsb):
    """All-ones, most negative and zero inputs, with shifts, several groups, and a list of ADCs."""
    rng = seeded(511)
    options = {"rows": 40, "cols": 8, "rows_active": 32, "squeeze": 3, "policy": "minimal"}
    options |= {"adc_bits": [1, 1, 1, 2, 3], "adc_lsb": lsb, "signed_inputs": signed}
    parameters = load_parameters("tiny", **options, input_bits=8, zero_skip=True, grouping="shift")
    layer = map_matrix(rng.integers(-50, 256, size=(50, 11)), parameters)
    low, high = layer.parameters.hardware.input_range
    inputs = [np.full((70, 50), value) for value in (low, 0, high)]
    inputs.append(rng.choice([low, 0, high], size=(70, 50)))
    clips = [check(layer, vectors)[1].any() for vectors in inputs]
    assert clips[2]
    assert not clips[1]


@pytest.mark.parametrize("cell_bits", [1, 2])
def test_large_batches(cell_bits):
    """Batches larger than what is worked on at a time, with the largest sums there are."""
    rng = seeded(521)
    parameters = load_parameters(
        "paper", rows=512, cols=4, cell_bits=cell_bits, squeeze=0, adc_bits=6
    )
    weights = rng.choice([-255, 255], size=(600, 5), p=[0.1, 0.9])
    layer = map_matrix(weights, parameters)
    inputs = rng.integers(250, 256, size=(1100, 600))
    _, clips = check(layer, inputs)
    assert clips.all()


def test_converts_no_more_than_needed():
    """Only sums that can exceed their ADC are converted; all others are products."""
    parameters = load_parameters("tiny", codec="codes", squeeze=0, adc_bits=2, input_bits=4)
    weights = np.zeros((8, 16), np.int64)
    weights[:4, 2] = 5
    weights[:3, 3] = -5
    layer = map_matrix(weights, parameters)
    engine, clips = check(layer, np.full((3, 8), 15))
    assert engine.paths.as_dict() == {
        "tiles": 2,
        "converted_tiles": 1,
        "sums": 2 * 8 * 16,
        "converted_sums": 2,
    }
    assert clips.tolist() == [0, 0, 0, 0, 0, 12, 0, 12]


def test_long_columns_are_summed_exactly():
    """Where float32 cannot hold the sum of all rows, it is used for as many as it can."""
    rng = seeded(531)
    low, high = 0, 255
    for rows, spans, kind in ((128, 1, np.float32), (1500, 6, np.float32), (300, 1, np.float64)):
        largest = 255 if kind == np.float32 else 255 << 8
        matrices = [np.full((rows, 3), largest), rng.integers(-largest, largest, size=(rows, 3))]
        product = ExactProduct(matrices, (low, high))
        assert (len(product.spans), product.matrices.dtype) == (spans, kind)
        inputs = rng.integers(high - 1, high + 1, size=(5, 2 * rows))
        results = np.empty((5, 6))
        product.write(results, inputs)
        expected = [inputs[:, :rows] @ matrices[0], inputs[:, rows:] @ matrices[1]]
        np.testing.assert_array_equal(results, np.hstack(expected))


def test_no_vectors():
    """Nothing in, nothing out."""
    layer = map_matrix(np.full((8, 2), 255), load_parameters("tiny", adc_bits=2))
    results, clips = LayerEngine(layer).run(np.zeros((0, 8)))
    assert results.shape == (0, 2)
    assert not clips.any()


@pytest.mark.parametrize("missing", ["numba", "llvmlite"])
@pytest.mark.parametrize("adc_bits", [2, "lossless"])
def test_without_numba(monkeypatch, adc_bits, missing):
    """It is only needed for conversions, and the error says so."""
    monkeypatch.setitem(sys.modules, missing, None)
    for module in ("compiling", "kernels", "lanes", "tables"):
        monkeypatch.delitem(sys.modules, f"sim.execution.{module}", raising=False)
        monkeypatch.delattr(sim.execution, module, raising=False)
    layer = map_matrix(np.full((8, 2), 255), load_parameters("tiny", adc_bits=adc_bits))
    if adc_bits == "lossless":
        check(layer, np.ones((2, 8)))
    else:
        with pytest.raises(InputError, match=r"needs numba: pip install sme\[network\]"):
            LayerEngine(layer)


@pytest.mark.parametrize("place", ["here", "nowhere"])
def test_cache_of_compiled_code(tmp_path, place):
    """Compiled code is kept where it can be, and nothing breaks where it cannot."""
    # A file is where the folder would be made: not even the superuser can write there.
    (tmp_path / "file").touch()
    folder = tmp_path / "here" if place == "here" else tmp_path / "file" / "folder"
    code = (
        "import numpy as np; from sim.execution.tables import slice_inputs as f;"
        "t = np.ones(24, np.uint64); f(np.full((64, 8), 3), 1, 2, 0, False, t); print(t[:4])"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    ones = str(2**64 - 1)
    assert run.stdout.split() == [f"[{ones}", ones, "0", "0]"]
    assert any(tmp_path.rglob("*.nbc")) == (place == "here")
