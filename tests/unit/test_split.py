"""Rows that are split into pieces: nothing is lost, and pieces go wherever there is room."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from sim.execution import LayerEngine
from sim.golden.compute_unit import compute_unit
from sim.mapping import (
    PlacedCodes,
    describe,
    lay_out,
    load_parameters,
    map_layer,
    map_matrix,
    schedule,
)
from sim.mapping.checks import check_placements
from sim.mapping.layers import Placement
from sim.mapping.layout import ored_groups
from sim.mapping.pieces import cut_rows
from sim.report.bit_planes import tile_planes
from sim.report.tile_choice import choose_tile
from sme_hw.tile_image import check_image
from tests.random_cases import random_inputs, random_mapping, random_weights, seeded


def parameters_of(**options):
    """Return parameters with codes as they are given."""
    return load_parameters("tiny", **{"policy": "split", "codec": "codes"} | options)


def test_pieces_by_hand():
    """Pieces of two bits: each begins at the next 1 of any code, the last one where it must."""
    codes = np.array([[0b1011_0010, -0b0000_0001], [0, 0], [0b10, -0b01], [-0b1100_0000, 0]])
    pieces = cut_rows(codes.astype(np.int16), 2)
    found = zip(pieces.sources, pieces.shifts, pieces.codes.tolist(), strict=True)
    assert sorted(map(tuple, ((int(r), int(s), tuple(c)) for r, s, c in found))) == [
        (0, 0, (0b10, -0b01)),
        (0, 4, (0b11, 0)),
        (0, 6, (0b10, 0)),
        (2, 0, (0b10, -0b01)),
        (3, 6, (-0b11, 0)),
    ]
    assert pieces.codes.dtype == np.int16
    assert pieces.shifts.dtype == np.uint8


def test_no_fewer_pieces_would_do():
    """Every set of bits, every width: tried against all ways to place windows over the ones."""
    codes = np.arange(256, dtype=np.int16)[:, np.newaxis]
    for width in range(1, 9):
        pieces = cut_rows(codes, width)
        assert pieces.codes.max() < 2**width
        assert pieces.shifts.max() == 8 - width
        back = np.zeros(256, int)
        np.add.at(back, pieces.sources, pieces.codes[:, 0].astype(int) << pieces.shifts)
        assert back.tolist() == codes[:, 0].tolist()
        counts = np.bincount(pieces.sources, minlength=256)
        windows = [(2**width - 1) << low for low in range(9 - width)]
        for fewer in range(int(counts.max())):
            chosen = np.array([*combinations_with_replacement(windows, fewer)], int)
            covers = np.unique(np.bitwise_or.reduce(chosen, axis=1, initial=0))
            covered = (codes & ~covers == 0).any(axis=1)
            assert (counts[covered] <= fewer).all()
            assert (counts[~covered] > fewer).all()


def random_layer(rng, adc_bits):
    """Return a split layer with random parameters, its options, and the same one not squeezed."""
    sizes = {"rows": int(rng.integers(4, 20)), "cols": int(rng.integers(4, 20))}
    options = random_mapping(rng, policy="split", **sizes)
    more = {"grouping": str(rng.choice(["none", "shift", "balanced"])), "adc_bits": adc_bits}
    more["rows_active"] = int(rng.integers(1, options.rows + 1))
    parameters = load_parameters("tiny", **options.as_dict() | more)
    groups = int(rng.choice([1, 3, 8]))
    shape = (groups * int(rng.integers(1, 30)), int(rng.integers(1, 5)), 2, 2)
    weights = random_weights(rng, shape, options)
    plain = map_layer("plain", weights, parameters.without_squeeze(), groups=groups)
    return map_layer("split", weights, parameters, groups=groups), options, plain


def integer_weights(layer):
    """Return the integers that a layer multiplies by, shape (inputs, outputs), group by group."""
    weights = np.zeros((layer.inputs, layer.outputs), np.int64)
    for matrix in layer.matrices:
        place = matrix.placement
        weights[place.input_slice, place.output_slice] += matrix.weights(layer.parameters.hardware)
    return weights


def test_nothing_is_lost():
    """Weights are the codes before squeeze-out; golden model and engine are the plain product."""
    rng = seeded(601)
    more = fewer = 0
    for case in range(60):
        layer, options, plain = random_layer(rng, "lossless")
        hardware = layer.parameters.hardware
        weights = integer_weights(plain)
        assert integer_weights(layer).tolist() == weights.tolist(), f"case {case}"
        assert layer.errors == plain.errors
        assert layer.errors.squeeze == 0
        inputs = random_inputs(rng, (5, layer.inputs), options)
        expected = (inputs @ weights).tolist()
        results, clips = LayerEngine(layer).run(inputs)
        assert results.tolist() == expected, f"case {case}"
        assert not clips.any()
        golden = np.zeros((5, layer.outputs), np.int64)
        for matrix in layer.matrices:
            place = matrix.placement
            part, out = inputs[:, place.input_slice], golden[:, place.output_slice]
            for tile in matrix.tiles(hardware):
                image = matrix.image(tile, hardware)
                check_image(image, hardware)
                out[:, tile.columns] += compute_unit(image, hardware, part[:, tile.rows])[0]
        assert golden.tolist() == expected, f"case {case}"
        more += layer.counts.pieces > layer.counts.rows
        fewer += layer.counts.pieces < layer.counts.rows
    assert more > 30
    assert fewer > 0


def test_zeros_take_no_row():
    """Rows of zeros have no piece; a column of tiles without a 1 keeps one, and no crossbar."""
    weights = np.zeros((9, 20), np.int16)
    weights[[2, 5], 9] = [255, -1]
    layer = map_matrix(weights, parameters_of(squeeze=7))
    assert [m.sources.tolist() for m in layer.matrices] == [[0], [2, 5, *[2] * 7], [0]]
    assert [m.row_shifts[:, 0].tolist() for m in layer.matrices] == [[0], [0, 0, *range(1, 8)], [0]]
    assert (layer.counts.tiles, layer.counts.pieces, layer.counts.squeezed) == (4, 11, 2)
    assert layer.matrices[1].row_tiles.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7], [8, *[-1] * 7]]
    assert layer.matrices[1].placement == Placement(range(1), 9, 20, range(8, 16))
    schedule(layer)


def test_groups_share_a_tile_while_their_pieces_fit():
    """Groups that follow one another; one with more pieces than a crossbar has rows is alone."""
    codes = [0b1, 0b111, 0b11, 0b1111, 0b1111_1111, 0, 0b1111, 0b1]
    weights = np.array(codes, np.int16).reshape(8, 1, 1, 1)
    weights = np.concatenate([weights, np.full((8, 1, 1, 1), 1, np.int16)], axis=2)
    layer = map_layer("dw", weights, parameters_of(squeeze=7), groups=8)
    # Pieces of each group: 2, 4, 3, 5, 9, 1, 5, 2.
    runs = [(m.placement.groups.start, m.placement.groups.stop) for m in layer.matrices]
    assert runs == [(0, 2), (2, 4), (4, 5), (5, 8)]
    assert [len(m.codes) for m in layer.matrices] == [6, 8, 9, 8]
    assert [m.placement.input_slice for m in layer.matrices][1:] == [
        slice(4, 8),
        slice(8, 10),
        slice(10, 16),
    ]
    assert layer.counts.tiles == 5
    narrow = map_layer("dw", weights, parameters_of(squeeze=7, cols=4, rows=40), groups=8)
    assert [len(m.placement.groups) for m in narrow.matrices] == [4, 4]
    assert integer_weights(narrow).tolist() == integer_weights(layer).tolist()


def test_counts_and_report():
    """Before squeeze-out all is counted without splitting; afterwards as it is laid out."""
    weights = seeded(607).integers(-255, 256, size=(19, 11))
    options = {"grouping": "balanced", "rows_active": 4}
    split, minimal = (
        map_matrix(weights, parameters_of(squeeze=6, policy=policy, **options))
        for policy in ("split", "minimal")
    )
    for key in ("conventional", "sliced", "rows", "nonzero_rows_before"):
        assert getattr(split.counts, key) == getattr(minimal.counts, key)
    pieces = [len(matrix.codes) for matrix in split.matrices]
    assert split.counts.pieces == sum(pieces) > split.counts.rows == minimal.counts.pieces == 38
    assert split.counts.rcmr_bits == 3 * sum(pieces)
    report = describe([split])
    (entry,) = report["layers"]
    assert report["pieces"] == entry["pieces"] == sum(pieces)
    # Each piece has the address of one of 19 rows.
    assert entry["index_bits"]["matrix"] == 5 * sum(pieces)
    after = entry["nonzero_rows"]["after"]
    assert entry["nonzero_rows"]["share_after"] == [round(n / sum(pieces), 6) for n in after]
    plans = [schedule(layer) for layer in (split, minimal)]
    assert plans[0].bit_cycles_conventional == plans[1].bit_cycles_conventional == 2 * 5 * 8
    assert plans[0].bit_cycles_bound <= plans[0].bit_cycles <= plans[0].bit_cycles_in_order


@pytest.mark.parametrize("groups", [1, 6])
def test_planes_of_a_tile(groups):
    """A picture shows the whole row above each of its pieces."""
    rng = seeded(613)
    weights = rng.integers(-255, 256, size=(12, 5 if groups == 1 else 1, 2, 2))
    parameters = parameters_of(squeeze=5)
    layer = map_layer("conv", weights, parameters, groups=groups)
    kept = map_layer("conv", weights, parameters.without_squeeze(), groups=groups)
    codes = integer_weights(kept)
    last = layer.matrices[-1]
    places = {"conv:0:0": layer.matrices[0]}
    if groups == 1:
        places |= {"conv:0:1": last, f"conv:{len(last.row_tiles) - 1}:1": last}
    else:
        rows = sum(len(matrix.row_tiles) for matrix in layer.matrices)
        places |= {f"conv:{rows - 1}:0": last}
    for place, matrix in places.items():
        chosen = choose_tile([layer], place)
        assert chosen.matrix is matrix
        assert chosen.place == place
        planes = tile_planes(kept, chosen)
        weight = 2 ** np.arange(8)[::-1]
        rows = matrix.placement.input_slice.start + chosen.tile.rows
        before = codes[rows, matrix.placement.output_slice][:, chosen.tile.columns]
        assert np.tensordot(weight, planes.before, axes=1).tolist() == before.tolist()
        after = matrix.codes[chosen.tile.pieces, chosen.tile.columns]
        assert np.tensordot(weight, planes.after, axes=1).tolist() == after.tolist()
        assert planes.moved_rows == np.count_nonzero(chosen.row_shifts)
    names = [m.tile_name(t) for m in layer.matrices for t in m.tiles(parameters.hardware)]
    groups_of = [m.placement.groups for m in layer.matrices for _ in m.tiles(parameters.hardware)]
    assert len(set(zip(names, groups_of, strict=True))) == len(names)


def laid_out(parameters, **changes):
    """Lay out four pieces of a matrix of three rows, in two row tiles, with some of it changed."""
    placement = Placement(range(1), 3, 2, range(2))
    part = {
        "placement": placement,
        "codes": np.array([[1, 0], [-1, 1], [0, 1], [1, 1]], np.int16),
        "row_shifts": np.array([[3], [0], [1], [7]], np.uint8),
        "sources": np.array([2, 0, 2, 2], np.int32),
        "code_steps": np.ones(2),
    }
    before = ored_groups(np.full((1, 3, 2), 9, np.int16), parameters)
    parts = [PlacedCodes(**part | changes)]
    return lay_out("given", (2, 3), 1, parameters, "codes", parts, before)


def test_pieces_from_elsewhere():
    """Any pieces can be laid out; what holds them may be chosen too, and counts follow."""
    parameters = parameters_of(squeeze=7, rows=4)
    row_tiles = np.array([[0, 3, -1, -1], [1, 2, -1, -1]], np.int32)
    layer = laid_out(parameters, row_tiles=row_tiles)
    assert integer_weights(layer).tolist() == [[-1, 1], [0, 0], [136, 130]]
    assert (layer.counts.tiles, layer.counts.conventional, layer.counts.sliced) == (2, 8, 2)
    assert (layer.counts.squeezed, layer.counts.physical, layer.counts.pieces) == (2, 3, 4)
    assert layer.counts.shifted_rows == 3
    inputs = np.array([[5, 7, 255], [0, 1, 0]])
    assert LayerEngine(layer).run(inputs)[0].tolist() == (inputs @ integer_weights(layer)).tolist()
    alone = laid_out(parameters)
    assert alone.matrices[0].row_tiles.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("sources are outside 0..2", {"sources": np.array([0, 1, 2, 3], np.int32)}),
        ("sources are outside", {"sources": np.array([0, 1, 2, -1], np.int32)}),
        ("sources are int64", {"sources": np.arange(4)}),
        ("sources are int32 of shape", {"sources": np.arange(3, dtype=np.int32)}),
        ("codes are outside -1..1", {"codes": np.array([[0, 2]] * 4, np.int16)}),
        ("codes are outside", {"codes": np.array([[0, -2]] * 4, np.int16)}),
        ("row shifts are not in 0..7", {"row_shifts": np.full((4, 1), 8, np.uint8)}),
        ("row_shifts are uint8 of shape", {"row_shifts": np.zeros((4, 2), np.uint8)}),
        ("every piece once", {"row_tiles": np.array([[0, 1, 2, 2]], np.int32)}),
        ("every piece once", {"row_tiles": np.array([[0, 1, -1, 2]], np.int32)}),
        ("no part of 1 groups", {"placement": Placement(range(1), 3, 4, range(2))}),
        ("outputs from 2, not 0", {"placement": Placement(range(1, 2), 3, 2, range(2))}),
    ],
)
def test_contradictions_are_refused(words, changes):
    """What is wrong with pieces from elsewhere is said."""
    with pytest.raises(ValueError, match=words):
        laid_out(parameters_of(squeeze=7, rows=4), **changes)


def test_placements_hold_every_output_once():
    """Parts and groups in order; whatever else is refused."""
    every, left, right = range(4), range(3), range(3, 4)

    def places(*parts):
        return [Placement(range(*groups), 5, 4, part) for groups, part in parts]

    allowed = [
        places(((0, 2), every), ((2, 3), every)),
        places(((0, 1), left), ((0, 1), right), ((1, 3), every)),
    ]
    refused = [
        places(((0, 1), range(12))),
        places(((1, 2), range(-4, 4)), ((2, 3), every)),
        places(((0, 0), every), ((0, 3), every)),
        places(((0, 1), range(0)), ((0, 3), every)),
        places(((0, 3), left), ((2, 3), right)),
        places(((0, 2), every)),
        places(((0, 2), every), ((1, 3), every)),
        places(((1, 3), every), ((0, 1), every)),
        places(((0, 3), every), ((3, 4), every)),
        [],
    ]
    for found in allowed:
        check_placements(found, 3, (5, 4), 8)
    for wrong in refused:
        with pytest.raises(ValueError, match=r"matri|fit"):
            check_placements(wrong, 3, (5, 4), 12)
    with pytest.raises(ValueError, match=r"groups 0\.\.1 do not fit"):
        check_placements(allowed[0], 3, (5, 4), 7)
