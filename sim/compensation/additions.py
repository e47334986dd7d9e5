"""Where the output of a layer is added to another tensor: the ends of residual blocks."""

from collections import Counter

from sim.network.network import Network

__all__ = ["added_tensors"]


def added_tensors(network: Network) -> list[str | None]:
    """Return, for each layer, the tensor that its output is added to.

    Only where that sum is all that becomes of the output, and the other tensor follows from the
    layers before.

    Parameters
    ----------
    network : Network

    Returns
    -------
    list of str or None
        In the order of layers.
    """
    graph = network.mapped.graph
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(value.name for value in graph.output)
    sums = {
        name: node.input[1 - place]
        for node in graph.node
        if node.op_type == "Add"
        for place, name in enumerate(node.input)
    }
    # What is known before each layer: all that follows from the network's input and the outputs
    # of the layers that come earlier.
    made = {node.output[0]: set(node.input) for node in graph.node}
    number = {layer.output: index for index, layer in enumerate(network.layers)}
    latest: dict[str, int] = {network.input_name: -1}
    for node in graph.node:  # in the order of computation
        for output in node.output:
            known = [latest[name] for name in node.input if name in latest]
            latest[output] = max([number.get(output, -1), *known])
    constants = {item.name for item in graph.initializer}
    result: list[str | None] = []
    for index, layer in enumerate(network.layers):
        other = sums.get(layer.output)
        usable = (
            other is not None
            and uses[layer.output] == 1
            and other not in constants
            and other in made | latest
            and latest[other] < index
        )
        result.append(other if usable else None)
    return result
