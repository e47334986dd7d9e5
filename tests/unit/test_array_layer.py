"""Layers on tile arrays: what comes out is what the layer computes, however it was mapped."""

import re

import numpy as np
import pytest

from sim.cosim.array_layer import array_layers
from sim.execution import LayerEngine
from sim.golden.tile_array import tile_array
from sim.mapping import load_parameters, map_layer, map_matrix
from sme_hw.array_image import ArrayImage, ArrayRoutes, check_array_image
from sme_hw.array_pack import pack_array
from sme_hw.array_program import UNITS_MAX, array_memory_map
from sme_hw.errors import InputError, ParameterError
from tests.cases.array_run import random_array
from tests.cases.hardware import HARDWARE
from tests.random_cases import random_inputs, random_mapping, random_weights, seeded

POLICIES = ["paper", "minimal", "rounded", "split", "plain"]
GROUPINGS = ["none", "shift", "balanced", "magnitude"]


def random_layer(rng, **fixed):
    """Return a layer with random parameters that has no more tiles than an array can have."""
    for _ in range(1000):
        sizes = {"rows": int(rng.integers(4, 12)), "cols": int(rng.integers(4, 12))}
        options = random_mapping(rng, **sizes, **fixed)
        more = {"grouping": str(rng.choice(GROUPINGS))}
        more["adc_bits"] = [1, 2, "lossless"][rng.integers(3)]
        more["rows_active"] = int(rng.integers(1, options.rows + 1))
        parameters = load_parameters("tiny", **options.as_dict() | more)
        groups = int(rng.choice([1, 1, 2, 5]))
        shape = (groups * int(rng.integers(1, 16)), int(rng.integers(1, 10)), 2, 1)
        layer = map_layer("some", random_weights(rng, shape, options), parameters, groups=groups)
        if sum(len(m.tiles(parameters.hardware)) for m in layer.matrices) <= UNITS_MAX:
            return layer, options
    raise AssertionError("no layer was small enough")


@pytest.mark.parametrize("policy", POLICIES)
def test_array_computes_the_layer(policy):
    """Sums of the tiles in packets are the layer's outputs, and their clips the layer's clips."""
    rng = seeded(701)
    shared = added = clipped = 0
    for case in range(25):
        layer, options = random_layer(rng, policy=policy)
        hardware = layer.parameters.hardware
        inputs = random_inputs(rng, (4, layer.inputs), options)
        (placed,) = array_layers(layer, UNITS_MAX)
        check_array_image(placed.image, hardware, UNITS_MAX)
        results, clips = tile_array(placed.image, hardware, placed.packets(inputs))
        expected, expected_clips = LayerEngine(layer).run(inputs)
        assert placed.sums(results).tolist() == expected.tolist(), f"case {case}"
        assert clips.sum(axis=0).tolist() == expected_clips.tolist()
        shared += max(map(len, placed.image.routes.inputs)) > 1
        added += max(map(len, placed.image.routes.results)) > 1
        clipped += clips.any()
    assert min(shared, added, clipped) > 3


@pytest.mark.parametrize("units", [1, 2, 3])
def test_larger_layers(units):
    """The sum of several arrays, or single tiles, is the layer."""
    rng = seeded(702 + units)
    several = 0
    for case in range(20):
        layer, options = random_layer(rng)
        inputs = random_inputs(rng, (3, layer.inputs), options)
        outputs = np.zeros((3, layer.outputs), np.int64)
        clips = 0
        parts = array_layers(layer, units)
        for part in parts:
            results, found = tile_array(part.image, layer.parameters.hardware, part.packets(inputs))
            outputs += part.sums(results)
            clips += found.sum(axis=0)
        expected, expected_clips = LayerEngine(layer).run(inputs)
        assert outputs.tolist() == expected.tolist(), f"case {case}"
        assert clips.tolist() == expected_clips.tolist()
        several += len(parts) > 1
    assert several > 5


def test_packets_by_hand():
    """Three row tiles and two column tiles: rows are shared across, columns are added down."""
    weights = np.arange(9 * 7).reshape(9, 7) % 15 - 7
    parameters = load_parameters("tiny", rows=4, cols=4, codec="codes", weight_bits=3, squeeze=0)
    layer = map_matrix(weights, parameters)
    (placed,) = array_layers(layer, 6)
    assert placed.image.routes.inputs == ((0, 3), (1, 4), (2, 5))
    assert placed.image.routes.results == ((0, 1, 2), (3, 4, 5))
    assert [rows.tolist() for rows in placed.rows] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert placed.columns == (slice(0, 4), slice(4, 7))
    # Of what comes together as far as there is room: a column tile, then the rest of the next.
    first, second = array_layers(layer, 4)
    assert first.image.routes.results == ((0, 1, 2), (3,))
    assert second.image.routes.results == ((0, 1),)
    assert second.image.routes.inputs == ((0,), (1,))
    assert second.columns == (slice(4, 7),)


def image_of(routes_in, routes_out, sizes):
    """Return tiles of these numbers of inputs and columns in these packets."""
    rng = np.random.default_rng(1)
    tiles = []
    for inputs, columns in sizes:
        one = random_array(rng, HARDWARE["slc"], 1)
        while (one.tiles[0].inputs, one.tiles[0].columns) != (inputs, columns):
            one = random_array(rng, HARDWARE["slc"], 1)
        tiles += one.tiles
    return ArrayImage(tuple(tiles), ArrayRoutes(routes_in, routes_out))


@pytest.mark.parametrize(
    ("routes_in", "routes_out", "sizes", "message"),
    [
        (((0, 1), ()), ((0, 1),), [(3, 2), (3, 2)], "input packet 1 has no units"),
        (((0, 1),), ((0, 2),), [(3, 2), (3, 2)], "result packet 0: there is no unit 2, only 0..1"),
        (((0, -1),), ((0, 1),), [(3, 2), (3, 2)], "input packet 0: there is no unit -1"),
        (((0, 1), (1,)), ((0, 1),), [(3, 2)] * 2, "packet 1: unit 1 already has input packet 0"),
        (((0, 1),), ((1,),), [(3, 2), (3, 2)], "unit 0 has no result packet"),
        (((0, 1),), ((0, 1),), [(3, 2), (4, 2)], "input packet 0: tiles of 3 and 4 inputs"),
        (((0, 1),), ((0, 1),), [(3, 2), (3, 1)], "result packet 0: tiles of 1 and 2 columns"),
        (((0,),), ((0,),), [], "0 tiles do not fit an array of 3 units"),
        (((0,),), ((0,),), [(3, 2)] * 4, "4 tiles do not fit an array of 3 units"),
    ],
)
def test_wrong_images_are_refused(routes_in, routes_out, sizes, message):
    """Packets without units, units that are not there, twice or not at all, and wrong sizes."""
    with pytest.raises(InputError, match=re.escape(message)):
        check_array_image(image_of(routes_in, routes_out, sizes), HARDWARE["slc"], 3)


def test_memory_map():
    """The routes in a program are found, and decoded, with what the manifest says."""
    hardware = HARDWARE["slc"]
    image = random_array(np.random.default_rng(3), hardware, 5)
    routes, units = array_memory_map(5)
    words = pack_array(image, hardware, 5).tolist()
    assert words[:2] == [units["base"] | 0b11111, 0]

    def field(word, name):
        offset, bits = routes["fields"][name]
        return word >> offset & (1 << bits) - 1

    start = words.index(routes["base"])
    found = {0: [], 1: []}
    for _ in found:
        count = words[start + 1]
        for word in words[start + 2 : start + 2 + count]:
            mask = field(word, "units")
            packet = tuple(unit for unit in range(5) if mask >> unit & 1)
            found[field(word, "results")].append((packet, field(word, "final")))
        start += 2 + count
    for packets, chosen in zip(
        found.values(), (image.routes.inputs, image.routes.results), strict=True
    ):
        assert [packet for packet, _ in packets] == list(chosen)
        assert [final for _, final in packets] == [0] * (len(packets) - 1) + [1]


def test_pack_names_what_is_wrong():
    """Number of units, of sets, and the set and tile of an image that cannot be computed."""
    hardware = HARDWARE["sets"]
    good = random_array(np.random.default_rng(1), hardware, 2)
    with pytest.raises(ParameterError, match=r"^units = 9 is not possible: .* 1\.\.8"):
        pack_array(good, hardware, 9)
    with pytest.raises(InputError, match=r"^3 images do not fit: weight_sets = 2"):
        pack_array([good] * 3, hardware, 2)
    good.tiles[1].groups[0, 0] = 7
    with pytest.raises(InputError, match=r"^set 0: tile 1: group 0: slot 7 exceeds the 3 slots"):
        pack_array(good, hardware, 2)
