"""Pages of the journal: decoded, cut into rows and verified, by us, by the lean decoder and by gurux-dlms."""

from typing import TYPE_CHECKING, Any

from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSClient import GXDLMSClient

from dlms_objects.purse.chain import verify_octets, verify_rows
from dlms_objects.purse.entry import JournalHead
from dlms_objects.wire import axdr
from dlms_objects.wire.row_plan import RowPlan
from tests.bench import lean
from tests.bench.cosem_decoder import decoded_rows
from tests.bench.journal import TITLE, journal_page, journal_rows
from tests.bench.rounds import Case, operation
from tests.bench.sessions import Disagreement

if TYPE_CHECKING:
    from collections.abc import Callable

ROW_PLAN, SPLIT, GENERIC, LEAN, GURUX = "row plan", "row plan, cut only", "general codec", "lean", "gurux-dlms"
DLMS_COSEM = "dlms-cosem"
VERIFY_OCTETS, VERIFY_ROWS = "verify_octets", "verify_rows (entries made)"


def page_cases(count: int) -> dict[str, Case]:
    """Decoding a page of `count` rows; all decoders are shown to read the same first, else Disagreement."""
    rows = journal_rows(count)
    page = journal_page(rows)
    plan = RowPlan.from_row(rows[0])
    readers: dict[str, Callable[[], Any]] = {
        ROW_PLAN: lambda: plan.decode(page),
        GENERIC: lambda: axdr.decode(page),
        LEAN: lambda: lean.decode_rows(page),
        GURUX: lambda: GXDLMSClient.getValue(GXByteBuffer(page), False),
        DLMS_COSEM: lambda: decoded_rows(page),
    }
    wanted = plan.decode(page)
    general = [tuple(cell.value for cell in row.value) for row in axdr.decode(page).value]
    gurux = [tuple(bytes(c) if isinstance(c, bytearray) else c for c in row) for row in readers[GURUX]()]
    if not wanted == general == gurux == lean.decode_rows(page) == decoded_rows(page) or plan.split(page) != rows:
        raise Disagreement(f"the decoders do not read the same {count} rows")
    return {name: operation(reader) for name, reader in readers.items()} | {SPLIT: operation(lambda: plan.split(page))}


def chain_cases(count: int) -> dict[str, Case]:
    """Verifying `count` rows: numbers, digests and balances."""
    octets = b"".join(journal_rows(count))
    empty = JournalHead.empty(TITLE)
    entries = verify_rows(octets, empty, 0)
    if verify_octets(octets, empty, 0) != (entries[-1].head, entries[-1].balance) or len(entries) != count:
        raise Disagreement("the two verifications do not agree")
    return {
        VERIFY_OCTETS: operation(lambda: verify_octets(octets, empty, 0)),
        VERIFY_ROWS: operation(lambda: verify_rows(octets, empty, 0)),
    }
