"""Every security rule of the wire has a test of its own, and that test exists.

A row names one rule of the design and the tests that hold us to it; who renames or removes a test has to look here.
"""

import ast

import pytest

from tests.support.sources import ROOT

WIRE, SECURITY = "tests/dlms_objects/wire", "tests/security"

RULES: dict[str, tuple[str, ...]] = {
    "the tag is verified before one byte of plaintext is used": (
        f"{SECURITY}/test_bit_flips.py::test_every_single_bit_flip_of_200_ciphered_apdus_is_refused",
        f"{SECURITY}/test_bit_flips.py::test_a_comparison_that_does_not_compare_is_found",
    ),
    "comparison is constant-time": (
        f"{WIRE}/test_handshake.py::test_proofs_are_compared_in_constant_time",
        f"{SECURITY}/test_constant_time.py::test_no_secret_is_compared_with_an_operator",
    ),
    "the same error for every cause": (
        f"{WIRE}/test_security.py::test_every_cause_gives_the_same_words",
        f"{WIRE}/test_key_wrap.py::test_every_cause_gives_the_same_words_and_no_key",
        f"{WIRE}/test_admission.py::test_a_wrong_key_is_refused_with_the_same_answer_as_a_replay",
    ),
    "a received counter is strictly greater than the stored one for that key and title": (
        f"{WIRE}/test_security.py::test_a_replay_is_refused_at_once_later_and_after_a_restart_with_the_stored_counter",
    ),
    "a counter is stored after the tag verifies, durably, before the effect, and survives restart": (
        f"{WIRE}/test_security.py::test_the_counter_is_stored_before_the_apdu_is_handed_out",
        f"{SECURITY}/test_replays.py::test_every_replay_is_refused_at_once_later_after_a_restart_and_after_a_crash",
        f"{SECURITY}/test_replays.py::test_counters_that_are_not_durable_before_the_effect_are_found",
    ),
    "a refused frame changes nothing": (
        f"{SECURITY}/test_bit_flips.py::test_a_counter_stored_before_the_tag_verifies_is_found",
        f"{SECURITY}/test_replays.py::test_a_counter_that_cannot_be_stored_lets_nothing_out",
    ),
    "counter 0 is not special": (f"{WIRE}/test_security.py::test_the_counter_zero_is_not_special",),
    "sent counters are reserved on disk in blocks before use and never reused after a crash": (
        f"{SECURITY}/test_nonces.py::test_10_000_sends_with_crashes_at_every_step_never_use_a_nonce_twice",
        f"{SECURITY}/test_nonces.py::test_a_reservation_that_is_not_durable_is_found",
    ),
    "sending is refused at 2^32 - 1 until the key changes": (
        f"{WIRE}/test_security.py::test_a_sender_stops_when_its_counters_are_used_up",
        "tests/dlms_objects/meter/test_key_keeper.py::test_a_new_key_has_new_counters_and_an_old_one_goes_on_with_its_own",
    ),
    "StoC = CtoS is refused": (
        f"{WIRE}/test_admission.py::test_our_challenge_is_never_the_client_s_own",
        f"{SECURITY}/test_downgrades.py::test_an_aare_that_gives_less_or_other_is_refused_and_gets_no_proof",
    ),
    "a short or a repeated challenge is refused": (
        f"{WIRE}/test_challenge.py::test_a_challenge_is_8_to_64_octets",
        f"{WIRE}/test_admission.py::test_a_repeated_challenge_is_refused",
        f"{WIRE}/test_agreement.py::test_a_challenge_that_the_server_sent_before_is_refused",
    ),
    "an unknown system title is refused": (
        f"{WIRE}/test_admission.py::test_a_role_can_name_its_only_clients",
        f"{WIRE}/test_agreement.py::test_a_server_other_than_the_pinned_one_is_refused_though_it_has_the_key",
    ),
    "reflection is refused": (
        f"{WIRE}/test_handshake.py::test_a_proof_sent_back_to_who_made_it_is_refused",
        f"{SECURITY}/test_broken_handshakes.py::test_a_server_without_the_proof_is_not_believed",
    ),
    "policy decides, not the peer: no weaker mechanism": (
        f"{SECURITY}/test_downgrades.py::test_an_aarq_that_asks_for_less_or_other_is_refused",
        f"{SECURITY}/test_downgrades.py::test_at_least_40_downgrades_are_in_these_tables",
    ),
    "no unciphered APDU in a ciphered association": (
        f"{WIRE}/test_intake.py::test_an_unciphered_apdu_in_a_ciphered_association_is_refused_and_closed",
        f"{WIRE}/test_client.py::test_an_unciphered_answer_in_a_ciphered_association_is_refused",
    ),
    "no change of suite": (
        f"{SECURITY}/test_suites.py::test_a_change_of_suite_is_refused",
        f"{SECURITY}/test_suites.py::test_no_other_security_control_octet_is_accepted",
    ),
    "a second AARQ, a request before authentication, a wrong client SAP: refused, association closed": (
        f"{SECURITY}/test_broken_handshakes.py::test_an_association_ends_at_a_frame_it_has_no_place_for",
        f"{SECURITY}/test_broken_handshakes.py::test_a_request_before_the_association_is_refused",
        f"{SECURITY}/test_broken_handshakes.py::test_a_request_before_the_proof_is_refused_though_it_is_ciphered",
    ),
    "keys never appear in repr, logs, traces, metrics or errors": (
        f"{WIRE}/test_cipher_keys.py::test_keys_never_appear_in_any_text",
        f"{WIRE}/test_security.py::test_keys_never_appear_in_any_text",
        f"{WIRE}/test_parameters.py::test_no_secret_is_shown",
        f"{WIRE}/test_handshake.py::test_a_secret_never_appears_in_any_text",
        "tests/dlms_objects/meter/test_meter_keys.py::test_keys_never_appear_in_any_text",
    ),
    "authentication only, encryption only, or both is accepted exactly where the policy says so": (
        f"{SECURITY}/test_policies.py::test_an_apdu_is_accepted_exactly_where_the_policy_says_so",
        f"{SECURITY}/test_policies.py::test_what_is_sent_is_protected_exactly_as_the_policy_says",
    ),
    "MD5 and SHA-1 only where they are named": (
        f"{WIRE}/test_parameters.py::test_a_mechanism_without_what_it_needs_is_refused_on_both_sides",
        f"{WIRE}/test_parameters.py::test_a_hash_mechanism_with_its_secret_is_possible_and_a_broken_one_only_by_name",
    ),
    "key rotation cut at every step never locks the meter out": (
        f"{SECURITY}/test_key_rotation.py::test_a_rotation_cut_at_every_step_never_locks_the_meter_out",
    ),
}


def functions_of(path: str) -> set[str]:
    """The test functions of a module."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def missing(tests: tuple[str, ...]) -> list[str]:
    """Those that do not exist."""
    return [test for test in tests if test.partition("::")[2] not in functions_of(test.partition("::")[0])]


@pytest.mark.parametrize("rule", RULES)
def test_the_tests_of_a_rule_exist(rule: str) -> None:
    assert RULES[rule]
    assert missing(RULES[rule]) == []


def test_a_test_that_does_not_exist_is_found() -> None:
    assert missing((f"{SECURITY}/test_rules.py::test_nobody_wrote",)) == [
        f"{SECURITY}/test_rules.py::test_nobody_wrote"
    ]
