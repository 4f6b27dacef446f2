"""Deliberate bugs: a module's source with one place changed, to show that a test would find it."""

import inspect
import re
from types import ModuleType
from typing import Any


def seeded(module: ModuleType, name: str, pattern: str, replacement: str) -> Any:
    """What `name` would be in the module if the one match of `pattern` in its source were replaced.

    AssertionError when the pattern does not match exactly once: the bug would not be there.
    """
    changed, count = re.subn(pattern, replacement, inspect.getsource(module))
    assert count == 1, f"{count} matches of {pattern}"
    names = {"__name__": f"seeded.{module.__name__}"}
    exec(compile(changed, f"seeded {module.__file__}", "exec"), names)
    return names[name]
