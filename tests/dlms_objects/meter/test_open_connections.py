"""Open connections: told to end all together, and gone when the last is."""

from dlms_objects.meter.open_connections import OpenConnections
from tests.support.twisted_testing import has_result


class Connection:
    """One that ends when the test says so."""

    def __init__(self, connections):
        self.connections = connections
        self.is_told = False
        connections.opened(self)

    def drop(self):
        self.is_told = True


def test_all_are_gone_when_the_last_is():
    connections = OpenConnections()
    first, second = Connection(connections), Connection(connections)
    assert len(connections) == 2
    gone = connections.drop_all()
    assert first.is_told
    assert second.is_told
    connections.closed(first)
    assert not has_result(gone)
    connections.closed(second)
    assert has_result(gone)
    assert len(connections) == 0


def test_without_connections_all_are_gone_at_once():
    assert has_result(OpenConnections().drop_all())


def test_those_that_end_while_one_looks_do_not_disturb():
    connections = OpenConnections()
    for connection in [Connection(connections) for _ in range(3)]:
        assert connection in list(connections)
    for connection in connections:
        connections.closed(connection)
    assert list(connections) == []
