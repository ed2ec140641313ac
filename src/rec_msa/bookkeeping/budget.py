"""A budget of minutes: which nodes belong together, in which order they run, and what is left out when it is over."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PLACE = "place-{:04}"
"""The tag of nodes that run together, by their place in a plan."""
LAST = "after-the-plan"
"""The tag of nodes that run when the plan has ended, of what there is."""
RECENT = 6
"""Places whose time says what the next one will take."""

_PLACE = re.compile(r"place-(\d+)")


def placed(pipeline: Pipeline, place: int, outputs: tuple[str, ...]) -> Pipeline:
    """The same pipeline, whose nodes that write such outputs have a place; what they need comes with them."""
    tag = PLACE.format(place)
    writes = {node: any(name.endswith(outputs) for name in node.outputs) for node in pipeline.nodes}
    return Pipeline([node.tag([tag]) if wanted else node for node, wanted in writes.items()])


def has_plan(pipeline: Pipeline) -> bool:
    """Whether nodes have places."""
    return any(_place(node) is not None for node in pipeline.nodes)


class Plan(list[Node]):
    """Nodes in the order of their places. Who goes through them gets no further place once the time is over.

    Then come the nodes that run at the end, without the inputs that were left out.

    Args:
        pipeline: What is to run, or of it what is still missing.
        minutes: How long; None: as long as it takes.
        changed: Told of each node that runs at the end where something was left out.
        clock: Seconds.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        minutes: float | None,
        changed: Callable[[Node], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(pipeline.nodes)
        self.pipeline, self.minutes, self.changed, self.clock = pipeline, minutes, changed, clock

    def __iter__(self) -> Iterator[Node]:
        """Each node after those that it needs."""
        nodes, began, took = self.pipeline.nodes, self.clock(), list[float]()
        handed, left_out = set[Node](), set[str]()
        last = [node for node in nodes if LAST in node.tags]
        places = sorted({place for node in nodes if (place := _place(node)) is not None})
        at = {place: [node for node in nodes if _place(node) == place] for place in places}
        later = self._needed_by(node for group in at.values() for node in group)
        first = [node for node in nodes if node not in later and node not in last]
        needed = {each for node in last for each in self.pipeline.node_dependencies[node]} - set(last)
        first += [each for each in needed if _place(each) is None]
        yield from self._new(handed, self._needed_by(first))
        for place in places:
            if took and self._is_over(began, took):
                left_out |= {name for node in at[place] for name in node.outputs}
                continue
            since = self.clock()
            yield from self._new(handed, self._needed_by(at[place]))
            took.append(self.clock() - since)
        yield from (self._of_what_there_is(node, left_out) for node in last)

    def _is_over(self, began: float, took: list[float]) -> bool:
        """Whether the next place would not end in time, by what the last ones took."""
        recent = took[-RECENT:]
        expected = self.clock() - began + sum(recent) / len(recent)
        return self.minutes is not None and expected > 60 * self.minutes

    def _new(self, handed: set[Node], wanted: set[Node]) -> Iterator[Node]:
        for node in self.pipeline.nodes:
            if node in wanted and node not in handed:
                handed.add(node)
                yield node

    def _needed_by(self, nodes: Iterable[Node]) -> set[Node]:
        found, waiting = set[Node](), list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.pipeline.node_dependencies[node]
        return found

    def _of_what_there_is(self, node: Node, left_out: set[str]) -> Node:
        if not left_out:
            return node
        self.changed(node)  # and what is made of it
        return node._copy(inputs=[name for name in node.inputs if name not in left_out])


def _place(node: Node) -> int | None:
    return min((int(match[1]) for tag in node.tags if (match := _PLACE.fullmatch(tag))), default=None)
