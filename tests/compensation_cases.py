"""Networks and layers that are fitted to calibration images, as tests take them."""

import numpy as np

from sim.compensation.fit import fit_network
from sim.compensation.params import FitParams
from sim.compensation.placing import place
from sim.compensation.profile import Profile
from sim.compensation.rounding import round_weights
from sim.mapping import load_parameters, map_layer
from sim.mapping.layout import lay_out
from sim.mapping.slicing import ored_codes
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.mapped_network import assemble

__all__ = ["fitted", "laid_out", "profile_of", "rounded_weights"]


def fitted(network, images, *, fit, calibration=None, progress=None, **options):
    """Fit a network to images, on small crossbars with lossless ADCs.

    Parameters
    ----------
    fit : dict
        Options of FitParams.
    calibration : CalibrationParams, optional
    """
    small = {"rows": 16, "cols": 8, "adc_bits": "lossless", "scale": "column"}
    parameters = [load_parameters("paper", **small | options)] * len(network.layers)
    quantisations = calibrate_network(
        network,
        [(images, None)],
        [own.hardware for own in parameters],
        calibration or CalibrationParams(),
    )
    more = {} if progress is None else {"progress": progress}
    middle = len(images) // 2 + 1
    batches = [images[:middle], images[middle:]] if len(images) > 1 else [images]
    mappings = fit_network(network, parameters, quantisations, batches, FitParams(**fit), **more)
    return assemble(network, mappings)


def profile_of(rng, shape):
    """Return a profile of weights of which some rows are larger and matter more."""
    groups, rows, _ = shape
    weights = rng.standard_t(4, size=shape) * 2.0 ** rng.integers(-6, 1, size=(groups, rows, 1))
    return Profile(weights, rng.uniform(0.1, 5, size=(groups, rows)), ((1.0, 1.0),), 0.0)


def rounded_weights(profile, plan, parameters):
    """Round a profile's weights as planned; inputs are independent."""
    rows = profile.weights.shape[1]
    return round_weights(
        profile.weights,
        np.eye(rows) * profile.importance[:, np.newaxis],
        plan.low,
        plan.high,
        width=parameters.hardware.cols,
        forms=plan.forms,
        passes=1,
    )


def laid_out(rounded, plan, parameters):
    """Return the mapping of rounded weights."""
    groups, rows, columns = rounded.levels.shape
    shape = (groups * columns, rows)
    levels = rounded.levels.swapaxes(1, 2).reshape(shape).astype(float)
    kept = map_layer("kept", levels, parameters.without_squeeze(), groups=groups)
    before = [ored_codes(np.abs(m.codes), parameters.hardware.cols) for m in kept.matrices]
    parts = place(rounded, plan, parameters)
    return lay_out("layer", shape, groups, parameters, "sme", parts, before)
