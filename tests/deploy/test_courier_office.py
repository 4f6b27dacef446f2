"""Laws of handing in: the octets go out as they are, and each answer that is no instruction is told plainly."""

import pytest

from deploy.courier_office import BATCHES_PATH, MOST_OCTETS, OCTETS, BatchRefusedError, hand_in
from dlms_objects.errors import RemoteError, TransportLostError
from tests.support.http_server import Answer, Request, http_server

BATCH = bytes(range(200))
SEALED = {"Content-Type": OCTETS}


def answered(answer: Answer) -> bytes:
    with http_server(lambda _: answer) as url:
        return hand_in(url + "/", BATCH, timeout_s=10)


def test_the_batch_goes_out_and_the_instruction_comes_back() -> None:
    came: list[Request] = []

    def answer(request: Request) -> Answer:
        came.append(request)
        return Answer(body=b"\xdb\x08sealed", headers=SEALED)

    with http_server(answer) as url:
        assert hand_in(url, BATCH, timeout_s=10) == b"\xdb\x08sealed"
    assert [(each.method, each.path, each.body) for each in came] == [("POST", BATCHES_PATH, BATCH)]
    assert came[0].headers["Content-Type"] == OCTETS


@pytest.mark.parametrize(
    ("body", "words"),
    [(b'{"detail": "a newer batch"}', "409: a newer batch"), (b"<html>", "409: Conflict"), (b"[]", "409: Conflict")],
)
def test_a_refusal_is_told_in_the_head_ends_words(body: bytes, words: str) -> None:
    with pytest.raises(BatchRefusedError, match=words):
        answered(Answer(status=409, body=body))


@pytest.mark.parametrize("body", [b"", bytes(MOST_OCTETS + 1)])
def test_an_answer_of_no_instructions_length_is_told(body: bytes) -> None:
    with pytest.raises(RemoteError, match="not with what a head-end seals"):
        answered(Answer(body=body, headers=SEALED))


def test_an_answer_of_another_form_is_told() -> None:
    with pytest.raises(RemoteError, match="text/html"):
        answered(Answer(body=b"hello", headers={"Content-Type": "text/html"}))


def test_a_line_that_breaks_is_told_with_what_to_do() -> None:
    with pytest.raises(TransportLostError, match="hand it in again"):
        answered(Answer(body=bytes(100), headers=SEALED, cut=True))
    with pytest.raises(TransportLostError, match="hand it in again"):
        hand_in("http://127.0.0.1:1", BATCH, timeout_s=10)
