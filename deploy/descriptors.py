"""How many files and connections a process may have open: as many as the system lets it, not as few as it begins with.

Imported by the commands that serve many at once.
"""

import resource

from dlms_objects.errors import LocalError


def allow_descriptors() -> int:
    """Raise this process's limit to what it is allowed, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def require_descriptors(count: int, what: str) -> None:
    """Raise the limit; LocalError, with what to do, when it is less than `what` needs."""
    allowed = allow_descriptors()
    if count > allowed:
        raise LocalError(
            f"{what} needs {count} open files, this process may have {allowed}; raise it: ulimit -n {count}"
        )
