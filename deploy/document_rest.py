"""What is left of a document without its mistakes, so that the rest can be looked through in the same run.

Imported by `deploy/configuration.py`.
"""

from collections.abc import Iterable
from typing import Any

from deploy.toml_lines import Path as TomlPath


class DocumentRest:
    """A document without the values at some places; a place in what is left can be traced to the whole document."""

    def __init__(self, document: dict[str, Any], mistakes: Iterable[TomlPath]) -> None:
        """Leave out the value at each place; where a key is missing from a table of an array, the table.

        A place that the document does not have, such as a missing key of its own, leaves out nothing.
        """
        self._kept: dict[TomlPath, list[int]] = {}
        self.document: dict[str, Any] = self._rest(document, (), {_cut(document, place) for place in mistakes})

    def origin(self, place: TomlPath) -> TomlPath:
        """Where the value at a place of what is left stands in the whole document."""
        found: TomlPath = ()
        for step in place:
            found = (*found, self._kept[found][step] if isinstance(step, int) and found in self._kept else step)
        return found

    def _rest(self, tree: Any, place: TomlPath, cuts: set[TomlPath]) -> Any:
        if isinstance(tree, dict):
            return {
                name: self._rest(value, (*place, name), cuts)
                for name, value in tree.items()
                if (*place, name) not in cuts
            }
        if isinstance(tree, list):
            kept = [index for index in range(len(tree)) if (*place, index) not in cuts]
            self._kept[place] = kept
            return [self._rest(tree[index], (*place, index), cuts) for index in kept]
        return tree


def _cut(document: Any, place: TomlPath) -> TomlPath:
    """The nearest place around a mistake that can be left out: the innermost element of an array, else the value."""
    tree: Any = document
    known: TomlPath = ()
    element: TomlPath = ()
    for step in place:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            break
        known = (*known, step)
        if isinstance(step, int):
            element = known
    return element or (known if known == place else ())
