"""Layers that crossbars are shared out to: how much each more helps, and what rows then have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sim.mapping import Parameters
from sim.mapping.layers import placements
from sim.mapping.row_tiles import fill_tiles
from sme_hw.params import ceil_div
from sme_hw.tile_image import EMPTY

from .budget import Steps, fill, saving_steps
from .divergence_scale import DivergenceScale
from .plan import LayerPlan, planned, row_forms
from .profile import Profile

__all__ = ["Rows", "SplitRows", "Unit", "WholeRows", "rows_of"]


@dataclass(frozen=True, eq=False)
class Unit:
    """A part of a layer that crossbars are given to.

    Parameters
    ----------
    gains : numpy.ndarray of float64
        By how much each further crossbar lowers the divergence, descending.
    bit_cycles : int
        What a vector takes on each of its crossbars.
    least : int
        Crossbars that it has in any case.
    """

    gains: np.ndarray
    bit_cycles: int
    least: int = 0


class Rows(Protocol):
    """A layer with the parameters that it may be mapped with.

    Parameters
    ----------
    least : int
        Crossbars that it has in any case, unless it is nothing but zeros.
    overhead : int
        Crossbars times bit-cycles beside those of :attr:`Unit.bit_cycles`.
    divergence : float
        What it is, in nats, as estimated, if all weights are zeros.
    """

    least: int
    overhead: int
    divergence: float

    def units(self) -> list[Unit]:
        """Return the parts that crossbars are given to."""

    def plan(self, crossbars: Sequence[int]) -> LayerPlan:
        """Return the forms of rows if each unit has so many crossbars."""


class SplitRows:
    """A layer whose rows are split: the crossbars of a tile are room for pieces."""

    def __init__(self, parameters: Parameters, profile: Profile):
        shape = profile.weights.shape
        self._shape, self._hardware = shape, parameters.hardware
        self._forms = row_forms(parameters)
        hardware = parameters.hardware
        losses = profile.losses(self._forms, hardware.cols)
        self._losses = np.minimum.accumulate(losses, axis=0)
        self._scale = DivergenceScale.of(float(losses[0].sum()), profile)
        self.divergence = self._scale.divergence
        first = placements(shape[0], shape[1], shape[2], hardware.rows, hardware.cols)[0]
        self._packed = len(first.groups) > 1 or (shape[0] > 1 and shape[2] == 1)
        if self._packed:
            self._steps = [saving_steps(self._losses.reshape(len(losses), -1))]
        else:
            self._steps = [
                saving_steps(self._losses[:, g, :, t])
                for g in range(shape[0])
                for t in range(losses.shape[3])
            ]
        tiles = ceil_div(shape[0], hardware.cols // shape[2]) if self._packed else 1
        self.least = tiles * hardware.planes
        # Pieces are sorted by shift: the slots of all tiles together span each shift once, unless
        # tiles are those of different groups, or are not filled in that order.
        span = parameters.mapping.squeeze
        apart = self._packed or parameters.mapping.grouping == "magnitude"
        self._cycles = hardware.slots * hardware.input_bits + (span if apart else 0)
        self.overhead = 0 if apart else len(self._steps) * hardware.planes * span

    def units(self) -> list[Unit]:
        """Return a unit for each column of tiles, or for all groups that share crossbars."""
        rows, planes = self._hardware.rows, self._hardware.planes
        least = self.least if self._packed else 0
        found = []
        for steps in self._steps:
            saved = np.diff(steps.saved_by(rows * np.arange(ceil_div(steps.size, rows) + 1)))
            # Room for further pieces comes with all planes.
            found.append(Unit(np.repeat(saved / planes, planes), self._cycles, least))
        found = _with_gains(found, self._scale)
        return found if self._packed else _keep_one(found, planes)

    def plan(self, crossbars: Sequence[int]) -> LayerPlan:
        """Return the forms that fill the rows of so many crossbars best."""
        groups, rows, _ = self._shape
        room, tiles = self._hardware.rows, self._losses.shape[3]
        pools = [count // self._hardware.planes for count in crossbars]
        if not self._packed:
            sizes = [
                fill(steps, rows, room * count)
                for steps, count in zip(self._steps, pools, strict=True)
            ]
            windows = np.stack(sizes).reshape(groups, tiles, rows).swapaxes(1, 2)
            return planned(self._forms, windows)
        pieces = fill(self._steps[0], groups * rows, room * pools[0]).reshape(groups, rows)
        # As many as can be, if groups that share a crossbar fill it.
        for run in _runs(pieces.sum(axis=1), pools[0], self._hardware.cols // self._shape[2]):
            part = self._losses[:, run.start : run.stop, :, 0].reshape(len(self._losses), -1)
            found = fill(saving_steps(part), part.shape[1], room)
            pieces[run.start : run.stop] = found.reshape(len(run), rows)
        return planned(self._forms, pieces[:, :, np.newaxis])


def _runs(pieces: np.ndarray, count: int, most: int) -> Iterator[range]:
    """Cut groups into runs of about as many pieces each, with at most ``most`` groups."""
    groups = len(pieces)
    ends = np.concatenate([[0], pieces.cumsum()])
    start = 0
    for left in range(count, 0, -1):
        share = ends[start] + (ends[-1] - ends[start]) / left
        stop = int(np.argmin(np.abs(ends - share)))
        stop = min(max(stop, groups - (left - 1) * most, start + 1), start + most, groups)
        if left == 1:
            stop = groups
        if stop > start:
            yield range(start, stop)
        start = stop


class WholeRows:
    """A layer whose rows stay whole: crossbars are planes of tiles."""

    least = 1
    overhead = 0

    def __init__(self, parameters: Parameters, profile: Profile):
        shape = profile.weights.shape
        self._shape, self._hardware = shape, parameters.hardware
        self._forms = row_forms(parameters)
        hardware = parameters.hardware
        losses = profile.losses(self._forms, hardware.cols)
        self._lost_shape = losses.shape[1:]
        most = self._forms.sizes[-1]
        self._span = max(form.shifts[0] for form in self._forms.forms if form.size == most)
        # If rows of a tile are sorted by shift, its slots together span each shift once.
        self._in_order = parameters.mapping.grouping == "none"
        self._order = None
        if shape[0] == 1:
            coarse = losses[self._forms.sizes <= 1].min(axis=0).sum(axis=(0, 2))
            self._order = np.argsort(-coarse, kind="stable")
        elif shape[1] > hardware.rows:  # the rows of a tile have planes in common, and must stay
            self._order = np.arange(shape[1])
        # Which rows of which groups share a tile.
        self._members: list[tuple[np.ndarray, np.ndarray]] = []
        for place in placements(shape[0], shape[1], shape[2], hardware.rows, hardware.cols):
            order = np.arange(place.shape[0]) if self._order is None else self._order
            for tile in fill_tiles(order, hardware):
                group, row = np.divmod(tile[tile != EMPTY], shape[1])
                self._members.append((place.groups[0] + group, row))
        sizes = self._forms.sizes
        self._lost = np.stack(
            [losses[:, group, row].sum(axis=1) for group, row in self._members], axis=1
        )  # windows, row tiles, column tiles
        self._scale = DivergenceScale.of(float(self._lost[0].sum()), profile)
        self.divergence = self._scale.divergence
        best = np.stack([self._lost[sizes == size].min(axis=0) for size in range(sizes[-1] + 1)])
        self._best = np.minimum.accumulate(best, axis=0)

    def units(self) -> list[Unit]:
        """Return a unit for each tile."""
        hardware = self._hardware
        found = []
        for (_, rows), tiles in zip(self._members, self._best.swapaxes(0, 1), strict=True):
            slots = ceil_div(len(rows), hardware.group_rows)
            cycles = slots * hardware.input_bits + self._span * (slots if self._in_order else 1)
            found += [Unit(_per_unit(saving_steps(own[:, np.newaxis])), cycles) for own in tiles.T]
        return _keep_one(_with_gains(found, self._scale), self.least)

    def plan(self, crossbars: Sequence[int]) -> LayerPlan:
        """Return the forms of rows in tiles of so many planes."""
        planes = np.array(crossbars).reshape(self._best.shape[1:])
        windows = np.zeros(self._lost_shape, np.int64)
        for place in np.ndindex(*planes.shape):
            possible = np.flatnonzero(self._forms.sizes == planes[place])
            chosen = possible[self._lost[possible, place[0], place[1]].argmin()]
            group, row = self._members[place[0]]
            windows[group, row, place[1]] = chosen
        return planned(self._forms, windows, self._order)


def _with_gains(units: list[Unit], scale: DivergenceScale) -> list[Unit]:
    """Return a layer's units with the gains that measurements say."""
    gains = scale.gains([unit.gains for unit in units])
    return [replace(unit, gains=own) for unit, own in zip(units, gains, strict=True)]


def _keep_one(units: list[Unit], crossbars: int) -> list[Unit]:
    """Let the unit that gains most have some crossbars in any case: no layer is left without."""
    best = max(range(len(units)), key=lambda i: units[i].gains[:1].sum())
    kept = min(crossbars, len(units[best].gains))  # weights that are all zeros need none
    return [*units[:best], replace(units[best], least=kept), *units[best + 1 :]]


def _per_unit(steps: Steps) -> np.ndarray:
    """Return what each unit of size saves."""
    widths = steps.stop - steps.start
    return np.repeat(steps.saved / widths, widths)


def rows_of(parameters: Parameters, profile: Profile) -> Rows:
    """Return a layer as its policy has rows: split or whole."""
    kind = SplitRows if parameters.mapping.policy == "split" else WholeRows
    return kind(parameters, profile)
