"""Networks on crossbars computed slowly: windows in plain loops, tiles by the golden model.

Every node that is no layer runs by itself in ONNX's reference implementation, on the graph as it
was read. Nothing of :mod:`sim.execution` is used, nor how :mod:`sim.network` cuts windows, packs
groups, pads, scales back or changes graphs.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from sim.golden.compute_unit import compute_unit_bit_serial, convert, effective_weights
from sim.golden.group_scheduler import group_scheduler
from sim.golden.input_register import input_register

__all__ = ["Done", "dense_layer", "network_outputs", "window_vectors"]


@dataclass
class Done:
    """What a layer's crossbars have done: see :class:`sim.network.crossbar_layer.Work`."""

    vectors: int
    conversions: int
    clips: np.ndarray


def window_vectors(values, layer, padding):
    """Return the vectors of a convolution one by one: all channels, then rows, then columns.

    Also the shape of its output without channels.
    """
    window = layer.window
    top, left, bottom, right = window.padding(*values.shape[2:])
    images, channels, height, width = values.shape
    reach = [(k - 1) * d + 1 for k, d in zip(window.kernel, window.dilations, strict=True)]
    rows = range(-top, height + bottom - reach[0] + 1, window.strides[0])
    columns = range(-left, width + right - reach[1] + 1, window.strides[1])
    vectors = []
    for image in range(images):
        for y in rows:
            for x in columns:
                vector = np.full((channels, *window.kernel), padding, np.int64)
                for i in range(window.kernel[0]):
                    for j in range(window.kernel[1]):
                        r, c = y + i * window.dilations[0], x + j * window.dilations[1]
                        if 0 <= r < height and 0 <= c < width:
                            vector[:, i, j] = values[image, :, r, c]
                vectors.append(vector.reshape(-1))
    return np.array(vectors), (images, len(rows), len(columns))


def executed(image, hardware, vectors):
    """Count the bit-cycles that a tile executes for some vectors, going through them all."""
    converted, total = convert(image, vectors), 0
    for slot in range(len(image.groups)):
        rows = slice(slot * hardware.group_rows, (slot + 1) * hardware.group_rows)
        times = [s.bit_cycle for s in group_scheduler(image.groups, hardware) if s.slot == slot]
        ones = np.array([input_register(converted[:, rows], t).any(axis=1) for t in times])
        total += int(np.maximum(ones.sum(axis=0), 1).sum() if hardware.zero_skip else ones.size)
    return total


def dense_layer(mapping, vectors):
    """Return what the tiles of a layer compute, what they did, and the sums of their weights.

    Parameters
    ----------
    mapping : LayerMapping
    vectors : numpy.ndarray of integers, shape (vectors, inputs)
    """
    hardware = mapping.parameters.hardware
    results = np.zeros((len(vectors), mapping.shape[0]), np.int64)
    sums = np.zeros(mapping.shape[0], np.int64)
    done = Done(len(vectors), 0, np.zeros(hardware.planes, np.int64))
    for matrix in mapping.matrices:
        place = matrix.placement
        first_input = place.groups[0] * place.rows
        first_output = place.groups[0] * place.columns + place.part[0]
        for tile in matrix.tiles(hardware):
            image = matrix.image(tile, hardware)
            part = vectors[:, first_input + tile.rows]
            values, clips = compute_unit_bit_serial(image, hardware, part)
            outputs = first_output + np.arange(tile.columns.start, tile.columns.stop)
            results[:, outputs] += values
            sums[outputs] += effective_weights(image, hardware).sum(axis=0)
            done.clips += clips
            done.conversions += 2 * image.columns * executed(image, hardware, part)
    return results, done, sums


def layer_outputs(crossbars, values):
    """Return a layer's real outputs for real inputs, and what was done for them."""
    layer, mapping, quantisation = crossbars.layer, crossbars.mapping, crossbars.quantisation
    channels = values.shape[layer.axis]
    scales = (quantisation.scale * np.resize(quantisation.factors, channels)).astype(np.float32)
    integers = np.empty_like(values)
    for channel in range(channels):
        place = [slice(None)] * values.ndim
        place[layer.axis] = channel
        scaled = values[tuple(place)] / scales[channel]
        integers[tuple(place)] = np.floor(scaled + np.float32(quantisation.zero_point + 0.5))
    integers = np.clip(integers, quantisation.low, quantisation.high).astype(np.int64)
    if layer.window is None:
        vectors, shape = integers.reshape(-1, integers.shape[-1]), values.shape[:-1]
    else:
        vectors, shape = window_vectors(integers, layer, quantisation.zero_point)
    results, done, sums = dense_layer(mapping, vectors)
    # An input of 0 is the zero point: its share of every sum is taken off again.
    centred = results - quantisation.zero_point * sums
    steps = np.concatenate([matrix.code_steps for matrix in mapping.matrices])
    reals = centred * (steps * layer.weight_scales * quantisation.scale) + mapping.calibration.bias
    outputs = reals.reshape(*shape, -1).astype(np.float32)
    return (outputs if layer.window is None else outputs.transpose(0, 3, 1, 2)), done


def network_outputs(mapped, images):
    """Return a mapped network's output for some images, and what each of its layers did.

    Parameters
    ----------
    mapped : MappedNetwork
    images : numpy.ndarray of float32
    """
    network = mapped.network
    model = network.model
    producers = {output: node for node in model.graph.node for output in node.output}
    known = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    known[network.input_name] = images
    layers = {crossbars.layer.output: crossbars for crossbars in mapped.layers}
    done = {}

    def value(name):
        if name in known or not name:
            return known.get(name)
        if name in layers:
            known[name], done[name] = layer_outputs(layers[name], value(layers[name].layer.input))
            return known[name]
        node = producers[name]
        if node.op_type == "DequantizeLinear":  # not in the reference for the opsets of today
            codes, scale, zero = (value(source) for source in node.input)
            difference = codes.astype(np.int32) - zero.astype(np.int32)
            known[name] = difference.astype(np.float32) * scale
            return known[name]
        feed = {source: value(source) for source in node.input if source}
        infos = [
            onnx.helper.make_tensor_value_info(
                key, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for key, array in feed.items()
        ]
        outputs = [onnx.ValueInfoProto(name=output) for output in node.output]
        graph = onnx.helper.make_graph([node], "node", infos, outputs)
        single = onnx.helper.make_model(graph, opset_imports=model.opset_import)
        known.update(zip(node.output, ReferenceEvaluator(single).run(None, feed), strict=True))
        return known[name]

    outputs = value(network.output_name)
    return outputs, [done[crossbars.layer.output] for crossbars in mapped.layers]
