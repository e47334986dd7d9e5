"""Row order by magnitude: cuts and crossbars against trying everything."""

import itertools

import numpy as np
import pytest

from sim.mapping import load_parameters, map_matrix
from sim.mapping.row_ends import plane_ends
from sim.mapping.row_tiles import ROW_TILES
from sme_hw.tile_image import EMPTY
from tests.random_cases import seeded


def crossbars(parts, cell_bits):
    """Count planes that hold anything: parts are lists of rows, these of ored codes."""
    total = 0
    for part in parts:
        for codes in zip(*part, strict=True):
            ones = 0
            for code in codes:
                ones |= code
            while ones:
                total += bool(ones % 2**cell_bits)
                ones >>= cell_bits
    return total


def ways_to_cut(rows, tiles, height):
    """Yield where the parts of a list may end if none is longer than ``height``."""
    for ends in itertools.combinations_with_replacement(range(rows + 1), tiles - 1):
        bounds = [0, *ends, rows]
        if all(end - start <= height for start, end in itertools.pairwise(bounds)):
            yield bounds


@pytest.mark.parametrize("cell_bits", [1, 2])
@pytest.mark.parametrize("column_tiles", [1, 3])
def test_no_other_cut_takes_fewer_crossbars(column_tiles, cell_bits):
    """All cuts are tried by hand; tiles that are not needed stay empty."""
    rng = seeded(61)
    hardware = load_parameters("tiny", rows=4, cell_bits=cell_bits, squeeze=0).hardware
    for case in range(60):
        tiles = int(rng.integers(1, 5))
        rows = int(rng.integers(1, 4 * tiles + 1))
        ones = rng.integers(1, 2 ** rng.integers(1, 9, size=(rows, 1)), size=(rows, column_tiles))
        ones = ones[np.argsort(ones.sum(axis=1))]
        ends = plane_ends(ones, tiles, hardware).tolist()
        used = -(-rows // 4)
        assert ends[used - 1 :] == [rows] * (tiles - used + 1)
        bounds = [0, *ends[:used]]
        rows_of = ones.tolist()
        costs = {
            tuple(cut): crossbars([rows_of[a:b] for a, b in itertools.pairwise(cut)], cell_bits)
            for cut in ways_to_cut(rows, used, 4)
        }
        assert costs[tuple(bounds)] == min(costs.values()), f"case {case}"


def test_no_other_deal_takes_fewer_crossbars():
    """With one column of tiles and codes without gaps, nothing is better than the sorted rows."""
    rng = seeded(62)
    hardware = load_parameters("tiny", rows=4, squeeze=0).hardware
    gained = 0
    for case in range(25):
        rows = int(rng.integers(5, 9))
        ones = (2 ** rng.integers(0, 7, size=(rows, 1)) - 1) * (rng.random((rows, 1)) < 0.9)
        costs = {}
        for size in range(rows - 4, 5):
            for first in itertools.combinations(range(rows), size):
                other = [r for r in range(rows) if r not in first]
                parts = [ones[list(first)].tolist(), ones[other].tolist()]
                costs[first] = crossbars(parts, 1)
        chosen = ROW_TILES["magnitude"](ones, np.zeros((rows, 1), np.uint8), hardware)
        found = costs[tuple(chosen[0][chosen[0] != EMPTY].tolist())]
        assert found == min(costs.values()), f"case {case}"
        gained += found < costs[0, 1, 2, 3]
    assert gained > 10


def test_fewer_crossbars_than_any_other_order():
    """Rows of unlike magnitude: those of all other policies take more crossbars."""
    rng = seeded(63)
    for size, laplace in ((8, True), (32, True), (32, False)):
        values = (rng.laplace if laplace else rng.normal)(size=(5 * size + 3, 2 * size))
        weights = values * np.exp(rng.normal(size=(len(values), 1)))
        options = {"rows": size, "cols": size, "squeeze": 0, "scale": "column"}
        found = {
            grouping: map_matrix(
                weights, load_parameters("tiny", **options, grouping=grouping)
            ).counts.squeezed
            for grouping in ROW_TILES
        }
        assert found["magnitude"] < found["balanced"] < found["none"] == found["shift"]


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        # As they are: columns of tiles differ in which rows are small.
        (
            [(255, 1), (255, 1), (15, 1), (15, 1), (1, 255), (1, 255), (1, 15), (1, 15)],
            [0, 1, 2, 3],
        ),
        # By all bits: the largest codes of a row would bring the first kind to the last one.
        ([(255, 1), (127, 127), (127, 1), (255, 255)] * 2, [0, 2, 4, 6]),
        # By the bits of the largest code: all bits together would part the second kind.
        ([(15, 15), (255, 1), (31, 31), (255, 1)] * 2, [0, 2, 4, 6]),
    ],
)
def test_best_of_several_orders(kinds, chosen):
    """Each order of rows is the best one somewhere."""
    hardware = load_parameters("tiny", rows=4, squeeze=0).hardware
    first, second = ROW_TILES["magnitude"](
        np.array(kinds), np.zeros((8, 2), np.uint8), hardware
    ).tolist()
    assert first == chosen or second == chosen


def test_rows_stay_where_nothing_is_gained():
    """Without fewer crossbars, there is nothing to pay for addresses."""
    weights = np.tile([[1, 2], [255, 1]], (10, 1))
    weights[::3] = 255
    for rows, moved in ((32, False), (20, False), (8, True)):
        layer = map_matrix(
            weights, load_parameters("tiny", rows=rows, squeeze=0, grouping="magnitude")
        )
        order = layer.matrices[0].row_tiles
        assert (order[order != EMPTY].tolist() != list(range(20))) == moved
