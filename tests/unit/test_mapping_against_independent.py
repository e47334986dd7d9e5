"""The mapper against the plain-loop model of :mod:`tests.independent`, and the paper's figures."""

import ast
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sim.golden.row_conversion import row_conversion
from sim.mapping import load_parameters, map_layer, map_matrix
from sim.mapping.codecs import CODECS
from sim.mapping.codecs.base import Grid, window_codes
from sim.mapping.slicing import occupied_planes, ored_codes
from sim.mapping.squeeze import POLICIES, squeeze
from sme_hw.errors import InputError
from tests.independent import (
    Options,
    codebook,
    exact_outputs,
    in_window,
    map_convolution,
    map_weights,
    pow2_alpha,
    quantise,
)
from tests.random_cases import CODEC_NAMES, random_mapping, random_weights, seeded

REAL_CODECS = [name for name in CODEC_NAMES if name != "codes"]
SCALE_NAMES = ["layer-pow2", "column-pow2", "column"]
POLICY_NAMES = ["paper", "minimal", "rounded", "rounded-window", "split", "plain"]
LAYOUTS = list(product(CODEC_NAMES, SCALE_NAMES, POLICY_NAMES, [1, 2]))


def assert_same_mapping(expected, layer, label):
    """Hold codes, shifts, sources, steps and every count of a layer to the plain-loop model's."""
    counts = {key: getattr(layer.counts, key) for key in expected.counts}
    assert counts == expected.counts, label
    assert len(layer.matrices) == len(expected.matrices), label
    for matrix, other in zip(layer.matrices, expected.matrices, strict=True):
        assert matrix.codes.tolist() == other.codes, label
        assert matrix.row_shifts.tolist() == other.shifts, label
        place = matrix.placement
        assert (place.input_slice.start + matrix.sources).tolist() == other.sources, label
        assert (place.output_slice.start, place.output_slice.stop) == other.outputs, label
        assert matrix.code_steps.tolist() == other.steps, label


def check_matrix(weights, options):
    """Map a matrix both ways and compare."""
    layer = map_matrix(weights, load_parameters("tiny", **options.as_dict()))
    assert_same_mapping(map_weights(weights, options), layer, f"{options} {weights.dtype}")


def test_second_opinion_is_independent():
    """The plain-loop model imports nothing but itself and what Python and numpy bring."""
    files = sorted((Path(__file__).parents[1] / "independent").glob("*.py"))
    assert len(files) > 5
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= {"itertools", "math", "numpy"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or node.module == "dataclasses"


@pytest.mark.parametrize(("codec", "scale", "policy", "cell_bits"), LAYOUTS)
def test_random_matrices(codec, scale, policy, cell_bits):
    """Odd shapes, all number types, every width, window and degree: the two mappers agree."""
    seed = 100 + LAYOUTS.index((codec, scale, policy, cell_bits))
    rng = seeded(seed)
    fixed = {"codec": codec, "scale": scale, "policy": policy, "cell_bits": cell_bits}
    for _ in range(12):
        options = random_mapping(rng, **fixed)
        shape = rng.integers(1, 60), rng.integers(1, 60)
        check_matrix(random_weights(rng, shape, options), options)


@pytest.mark.parametrize("policy", POLICY_NAMES)
@pytest.mark.parametrize("cell_bits", [1, 2])
@pytest.mark.parametrize("codec", CODEC_NAMES)
def test_every_window_and_degree(codec, policy, cell_bits):
    """No window and no possible squeeze degree of an 8-bit code is treated differently."""
    rng = seeded(7)
    for window, degree in product(range(1, 9), range(0, 9 - cell_bits, cell_bits)):
        options = Options(
            rows=8,
            cols=8,
            cell_bits=cell_bits,
            codec=codec,
            policy=policy,
            window=window,
            squeeze=degree,
            row_bits=[5, 8, 6, 7] if codec == "mixed" else "all",
        )
        check_matrix(random_weights(rng, (17, 9), options), options)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint8, ">f4"])
@pytest.mark.parametrize("codec", REAL_CODECS)
def test_number_types(codec, dtype):
    """A weight's type matters only through its value; the array's order in memory does not."""
    rng = seeded(21)
    values = rng.integers(0, 100, size=(2 * 19, 3 * 13))
    values = values / 64 if np.dtype(dtype).kind == "f" else values
    for scale in SCALE_NAMES:
        options = Options(rows=8, cols=8, codec=codec, scale=scale, policy="rounded", squeeze=2)
        check_matrix(np.asfortranarray(values.astype(dtype))[::2, ::-3], options)


@pytest.mark.parametrize("codec", CODEC_NAMES)
@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_nothing_but_zeros(codec, policy):
    """A matrix of zeros needs no crossbar, and its scale is that of alpha = 1."""
    weights = np.zeros((11, 9), np.int16 if codec == "codes" else np.float32)
    for scale in SCALE_NAMES:
        options = Options(rows=8, cols=8, codec=codec, scale=scale, policy=policy)
        check_matrix(weights, options)
        layer = map_matrix(weights, load_parameters("tiny", **options.as_dict()))
        assert layer.counts.conventional == 4 * 8
        assert layer.counts.sliced == layer.counts.squeezed == layer.counts.physical == 0
        if codec in ("sme", "po2", "apot") and policy != "plain":
            assert layer.code_steps.tolist() == [1 / 256] * 9


@pytest.mark.parametrize("codec", REAL_CODECS)
def test_extreme_magnitudes(codec):
    """From denormals to the largest float32: scales follow."""
    rng = seeded(4)
    for factor in (5e-324, 1e-310, 2.0**-149, 1e-40, 1e30, 2.0**127):
        for scale in SCALE_NAMES:
            options = Options(rows=8, cols=8, codec=codec, scale=scale, policy="rounded")
            check_matrix(rng.integers(-9, 10, size=(9, 9)) * factor, options)


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_wide_matrices(policy):
    """Many large tiles beside and below each other."""
    rng = seeded(12)
    for rows, cols, shape in [(64, 64, (130, 1100)), (128, 128, (140, 520)), (4, 512, (9, 1300))]:
        options = Options(rows=rows, cols=cols, policy=policy, squeeze=2, scale="column")
        check_matrix(rng.standard_t(2, size=shape).astype(np.float32), options)


CONVOLUTIONS = [
    # cout, cin / groups, kh, kw, groups, rows, cols
    (7, 3, 3, 3, 1, 8, 8),  # dense, several tiles
    (12, 2, 3, 1, 4, 16, 16),  # two groups a crossbar by its rows
    (12, 2, 1, 1, 4, 16, 7),  # two groups a crossbar by its columns
    (10, 1, 3, 3, 10, 32, 16),  # depthwise, three groups a crossbar and one left over
    (40, 1, 3, 3, 40, 128, 128),  # depthwise, fourteen a crossbar
    (6, 1, 3, 3, 6, 9, 6),  # depthwise, one group fills the rows
    (6, 1, 3, 3, 6, 8, 6),  # depthwise, a group is taller than a tile
    (6, 4, 3, 3, 2, 8, 64),  # groups larger than a tile are tiled alone
    (18, 1, 2, 2, 2, 64, 8),  # groups wider than a tile
    (3, 1, 1, 1, 3, 8, 8),  # more room than groups
]


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=str)
def test_convolutions(convolution):
    """Rows in the order (cin, kh, kw); groups are packed block-diagonally."""
    *shape, groups, rows, cols = convolution
    rng = seeded(rows * cols + groups)
    for codec, policy in product(CODEC_NAMES, POLICY_NAMES):
        options = random_mapping(rng, codec=codec, policy=policy, rows=rows, cols=cols)
        weights = random_weights(rng, shape, options)
        parameters = load_parameters("tiny", **options.as_dict())
        expected = map_convolution(weights, options, groups=groups)
        layer = map_layer("conv", weights, parameters, groups=groups)
        assert_same_mapping(expected, layer, f"{options} {convolution}")


def test_packing_by_hand():
    """Depthwise 3 x 3 in crossbars of 32 x 16: three groups each, one block after the other."""
    weights = np.arange(1, 37, dtype=np.int16).reshape(4, 1, 3, 3)
    layer = map_layer("dw", weights, load_parameters("small", cols=16, squeeze=0), groups=4)
    first, second = (matrix.codes for matrix in layer.matrices)
    assert first.shape == (27, 3)
    assert [first[9 * g : 9 * g + 9, g].tolist() for g in range(3)] == [
        list(range(1, 10)),
        list(range(10, 19)),
        list(range(19, 28)),
    ]
    assert np.count_nonzero(first) == 27
    assert second.ravel().tolist() == list(range(28, 37))
    assert (layer.counts.tiles, layer.counts.conventional) == (2, 16)


def test_codes_keep_their_values():
    """Integers are codes; 2**Nq is one too many, and floats are no codes."""
    weights = np.array([[255, -255, 1], [-128, 0, 127]], np.int16)
    layer = map_matrix(weights, load_parameters("tiny", squeeze=0))
    assert layer.matrices[0].codes.tolist() == weights.tolist()
    for wrong in (256, -256):
        with pytest.raises(InputError, match="256"):
            map_matrix(np.array([[wrong]]), load_parameters("tiny"))
    with pytest.raises(InputError, match="integer"):
        map_matrix(np.array([[1.0]]), load_parameters("tiny", codec="codes"))


@pytest.mark.parametrize(
    ("bits", "window", "magnitudes"),
    [(8, 3, 28), (8, 1, 9), (8, 2, 16), (8, 8, 256), (4, 3, 12), (5, 3, 16)],
)
def test_codebook_size(bits, window, magnitudes):
    """Nq = 8 and S = 3 give 28 magnitudes, zero included: those whose ones fit the window."""
    positions = np.linspace(0, 2**bits - 2.0 ** (bits - window), 20000)
    seen = sorted(set(window_codes(positions, bits, window).tolist()))
    assert len(seen) == magnitudes
    assert seen == codebook(bits, window)


@pytest.mark.parametrize("window", range(1, 9))
def test_nearest_codeword(window):
    """Quantisation finds the nearest codeword by exhaustive search; ties go away from zero."""
    rng = seeded(window)
    top = 1 - 2.0**-window
    u = np.concatenate([rng.random(500) * top, np.arange(2**10) / 2**10 * top, [top]])
    u = np.concatenate([u, np.minimum(np.arange(513) / 512, top)])
    grid = Grid(8, window)
    found = CODECS["sme"].quantise(CODECS["sme"].project(u, np.ones(len(u)), grid), grid)
    book = codebook(8, window)
    for value, code in zip(u.tolist(), found.tolist(), strict=True):
        distances = [(abs(member - value * 256), -member) for member in book]
        assert code == -min(distances)[1] == quantise(value, 1.0, 8, window), value


def test_power_of_two_scale():
    """Alpha is the smallest power of two that brings the largest weight to 1 - 2**-S."""
    for largest, alpha in [(0.875, 1), (0.876, 2), (0.4375, 0.5), (1.75, 2), (7, 8), (7.01, 16)]:
        layer = map_matrix(np.array([[largest], [0.01]]), load_parameters("tiny"))
        assert (
            layer.matrices[0].code_steps.tolist() == [alpha / 256] == [pow2_alpha(largest, 3) / 256]
        )


def test_figure_4():
    """Figure 4b of the paper, alpha forced to 1."""
    weights = [0.876, 0.618, 0.389, 0.020]
    expected = [0.875, 0.625, 0.375, 0.01953125]
    codec, grid = CODECS["sme"], Grid(8, 3)
    codes = codec.quantise(codec.project(np.array(weights), np.ones(4), grid), grid)
    assert (codes / 256).tolist() == expected
    assert [quantise(w, 1.0, 8, 3) / 256 for w in weights] == expected
    # With 0.875 as the largest weight alpha is 1 by itself.
    layer = map_matrix(np.array([[0.875, *weights[1:]]]), load_parameters("tiny", squeeze=0))
    matrix = layer.matrices[0]
    assert (matrix.codes[0] * matrix.code_steps).tolist() == expected


FIGURE_3 = np.array([[10, 12], [4, 1], [6, 2], [4, 6]], np.int16)
FIGURE_3_INPUTS = [0b010, 0b110, 0b100, 0b101]


def figure_3_tile(codes):
    """Return squeezed codes, shifts, and occupied planes before and after for two rows."""
    squeezed, shifts = squeeze(
        codes.astype(np.float64),
        codes,
        policy=POLICIES["paper"],
        tile_columns=2,
        code_bits=4,
        degree=1,
        window=3,
    )
    planes = [
        occupied_planes(ored_codes(c, 2), np.array([[0, 1]]), cell_bits=1, planes=4)[:, 0, 0]
        for c in (codes, squeezed)
    ]
    return squeezed, shifts[:, 0], planes[0].tolist(), planes[1].tolist()


def test_figure_3():
    """Figure 3 of the paper: 8 crossbars, XB5 and XB8 released, then XB1."""
    upper, lower = figure_3_tile(FIGURE_3[:2]), figure_3_tile(FIGURE_3[2:])
    sliced, squeezed = upper[2] + lower[2], upper[3] + lower[3]
    assert [xb for xb, used in enumerate(sliced, start=1) if not used] == [5, 8]
    assert [xb for xb, used in enumerate(squeezed, start=1) if not used] == [1, 5, 8]
    assert upper[0].tolist() == [[0b0101, 0b0110], [0b0100, 0b0001]]
    assert lower[0].tolist() == FIGURE_3[2:].tolist()
    shifts = np.concatenate([upper[1], lower[1]])
    assert row_conversion(np.array(FIGURE_3_INPUTS), shifts).tolist() == [
        0b0100,
        0b0110,
        0b0100,
        0b0101,
    ]


def test_figure_3_independently():
    """The plain-loop model gives figure 3 as well, and its squeeze loses nothing there."""
    options = Options(rows=2, cols=2, codec="codes", weight_bits=4, squeeze=1, input_bits=3)
    layer = map_weights(FIGURE_3, options)
    counts = layer.counts
    assert (counts["conventional"], counts["sliced"], counts["squeezed"]) == (8, 6, 5)
    assert counts["nonzero_rows_before"] == (1, 4, 3, 1)
    assert counts["nonzero_rows_after"] == (0, 4, 3, 2)
    assert layer.matrices[0].codes[0] == [0b0101, 0b0110]
    assert layer.matrices[0].shifts == [[1], [0], [0], [0]]
    outputs = exact_outputs(layer.matrices[0], [FIGURE_3_INPUTS], options)
    assert outputs == [(np.array(FIGURE_3_INPUTS) @ FIGURE_3).tolist()]


@pytest.mark.parametrize(
    ("policy", "degree", "bits"),
    [("paper", 3, 1), ("minimal", 3, 2), ("minimal", 4, 3), ("rounded", 1, 1), ("plain", 3, 0)],
)
def test_register_bits(policy, degree, bits):
    """The RCMR spends 1 bit on a row of a tile, or ceil(log2(x + 1))."""
    weights = seeded(1).normal(size=(11, 20))
    layer = map_matrix(weights, load_parameters("tiny", policy=policy, squeeze=degree))
    assert layer.counts.rcmr_bits == 11 * 3 * bits
    expected = 0 if policy == "plain" else 1 if policy == "paper" else math.log2(degree + 1)
    assert bits == math.ceil(expected)


def test_codes_after_squeeze_keep_to_the_codebook():
    """Every policy but ``rounded`` stays in the window; all stay in the remaining planes."""
    weights = seeded(2).normal(size=(40, 40))
    for policy, degree in product(POLICY_NAMES[:5], range(1, 6)):
        layer = map_matrix(weights, load_parameters("small", policy=policy, squeeze=degree))
        codes = np.abs(np.concatenate([matrix.codes.ravel() for matrix in layer.matrices]))
        assert codes.max() < 2 ** (8 - degree)
        left = [code for code in codes.tolist() if not in_window(code, 3)]
        assert bool(left) == (policy == "rounded" and degree < 5)


def test_largest_value_below_a_half_rounds_as_defined():
    """In float64, floor(v + 1/2) is 1 for the largest v below 1/2; every codec does it so."""
    v = np.nextafter(0.5, 0)
    windowed = map_matrix(np.array([[0.875], [v / 256]]), load_parameters("tiny", squeeze=0))
    uniform = map_matrix(np.array([[255.0], [v]]), load_parameters("tiny", squeeze=0, codec="int8"))
    assert windowed.matrices[0].codes.ravel().tolist() == [224, 1]
    assert uniform.matrices[0].codes.ravel().tolist() == [255, 1]
