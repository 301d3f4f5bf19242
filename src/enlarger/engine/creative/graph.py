"""An RRDB network with noise added to its features, as a graph of its own."""

from __future__ import annotations

from dataclasses import replace

from enlarger.models.network import Arithmetic, Convolution, Extra, Network, Node, WeightedSum

SUMS_PER_BLOCK = 4
"""An RRDB is three dense blocks, each closed by a weighted sum, and one more around them."""
PLACES = (4, 9, 14, 18)
"""Blocks of 23 after which noise is added: spread, and not so late that it is no more than grain."""
BLOCKS = 23


def with_noise(network: Network) -> Network:
    """The network with noise inputs after four of its blocks. With zeros it is the published one.

    Raises ValueError if it is no RRDB.
    """
    sums = [node for node in network.nodes if isinstance(node.operation, WeightedSum)]
    ends = sums[SUMS_PER_BLOCK - 1 :: SUMS_PER_BLOCK]
    if len(ends) < len(PLACES):
        raise ValueError(f"{network.name} has {len(ends)} residual blocks; {len(PLACES)} are needed")
    chosen = {ends[round(place / BLOCKS * len(ends))].output for place in PLACES}
    first = next(node.operation for node in network.nodes if isinstance(node.operation, Convolution))
    channels = first.weight.shape[0]
    nodes: list[Node] = []
    extras: list[Extra] = []
    for node in network.nodes:
        if node.output not in chosen:
            nodes.append(node)
            continue
        clean, noise = f"{node.output}.clean", f"noise.{len(extras)}"
        nodes.append(replace(node, output=clean))
        nodes.append(Node(f"{node.name}.noise", Arithmetic("+"), (clean, noise), node.output))
        extras.append(Extra(noise, channels))
    return replace(network, name=f"{network.name}+noise", nodes=tuple(nodes), extras=tuple(extras))
