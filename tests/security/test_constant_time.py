"""What is secret is compared with `compare_digest`, never with an operator: a look at the source."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.sources import Module, modules

SECRETS = re.compile(r"(^|_)(tag|mac|digest|proof|password|secret|key)$")
LOOKED_AT = ("security", "handshake", "admission", "agreement", "cipher_keys", "key_wrap", "challenge")


def last_name(node: ast.expr) -> str:
    """`tag` for `tag`, `self.tag` and `tag[1:]`."""
    while isinstance(node, ast.Subscript | ast.Call):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def comparisons(module: Module) -> Iterator[str]:
    """Each == or != that has a secret on one side, and octets or another secret on the other."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            continue
        sides = [node.left, *node.comparators]
        if any(SECRETS.search(last_name(side)) for side in sides) and not is_about_length(sides):
            yield f"{module.path}:{node.lineno}: {ast.unparse(node)}"


def is_about_length(sides: list[ast.expr]) -> bool:
    """Whether a length, or the public head of a proof, is what is compared."""
    text = " ".join(ast.unparse(side) for side in sides)
    return "len(" in text or "[:1]" in text


WIRE = [module for module in modules("dlms_objects/wire") if module.path.rpartition("/")[2][:-3] in LOOKED_AT]


def test_no_secret_is_compared_with_an_operator() -> None:
    assert len(WIRE) == len(LOOKED_AT)
    assert [found for module in WIRE for found in comparisons(module)] == []


def test_every_module_that_checks_a_secret_uses_the_constant_time_comparison() -> None:
    users = {module.path.rpartition("/")[2] for module in WIRE if "compare_digest(" in module.text}
    assert users == {"security.py", "handshake.py", "admission.py", "cipher_keys.py"}


@pytest.mark.parametrize(
    "planted",
    ["ok = tag == body[-12:]", "ok = self.password != value", "ok = mac(x) == proof[5:]", "ok = proof == b'x'"],
)
def test_a_planted_comparison_is_found(planted: str) -> None:
    assert list(comparisons(Module(path="dlms_objects/wire/security.py", text=planted)))
