"""Bugs: where each would be planted in our engine, and the test that notices it.

Most are bugs that other sync engines have, or had: differences that are blind to nulls, journals that know only
acknowledgements, a batch that succeeds as a whole, rows that are skipped because they have not changed since they
failed, pages without an order, full re-sends that forget who left.
"""

from typing import NamedTuple


class Bug(NamedTuple):
    name: str
    file: str
    sound: str
    planted: str
    caught_by: str


BUGS = [
    Bug(
        "a full re-send forgets who left",
        "run.py",
        '"update activation.journal set delivered_fingerprint = null, rejected_fingerprint = null "\n    "where',
        '"delete from activation.journal "\n    "where',
        "test_guards_as_code.py::test_a_resync_sends_everybody_again_and_removes_who_left",
    ),
    Bug(
        "the journal knows acknowledgements only",
        "plan.py",
        "(journal.is_held or journal.pending_operation is not null))",
        "journal.is_held)",
        "test_journal.py::test_who_leaves_after_an_unanswered_send_is_removed",
    ),
    Bug(
        "a difference blind to nulls",
        "fingerprint.py",
        "concat('{name}=', length({value}), ':', {value})",
        "concat('{name}=', {value})",
        "test_run.py::test_a_value_that_becomes_null_or_stops_being_null_is_a_change",
    ),
    Bug(
        "a batch succeeds as a whole",
        "deliver.py",
        'Receipt(row, Outcome.UNKNOWN, "not_mentioned")',
        "Receipt(row, Outcome.DELIVERED)",
        "test_deliver.py::test_a_row_the_answer_does_not_mention_is_unknown",
    ),
    Bug(
        "what failed is skipped until it changes",
        "journal.py",
        "answer.outcome = '{Outcome.REJECTED}' and answer.fingerprint is not null",
        "answer.outcome <> '{Outcome.DELIVERED}' and answer.fingerprint is not null",
        "test_run.py::test_wrong_credentials_stop_the_run_and_blame_no_row",
    ),
    Bug(
        "pages without an order",
        "plan.py",
        "                when reason = 'revoked' then 1\n                when reason = 'left' then 2\n",
        "                when reason = 'revoked' then 3\n                when reason = 'left' then 3\n",
        "test_run.py::test_a_changed_or_vanished_address_removes_the_old_one",
    ),
    Bug(
        "pages that leave out a row",
        "batch.py",
        "yield start, min(start + size - 1, last), is_leaving",
        "yield start, min(start + size - 2, last), is_leaving",
        "test_consent.py::test_consent_is_asked_again_before_each_batch",
    ),
    Bug(
        "a comparison that null passes by",
        "plan.py",
        '_IS_CHANGED = "journal.delivered_fingerprint is distinct from desired.fingerprint"',
        '_IS_CHANGED = "journal.delivered_fingerprint <> desired.fingerprint"',
        "test_guards_as_code.py::test_a_resync_sends_everybody_again_and_removes_who_left",
    ),
    Bug(
        "identifiers that are dropped with the answer",
        "journal.py",
        '    and not journal.is_held and journal.pending_operation is null\n"""',
        '    and journal.pending_operation is null\n"""',
        "test_journal.py::test_a_rejected_change_leaves_the_member_removable",
    ),
    Bug(
        "consent is asked once",
        "batch.py",
        'is_consented="true" if removes else "coalesce(consented.is_granted, 0) = 1"',
        'is_consented="true"',
        "test_consent.py::test_consent_is_asked_again_before_each_batch",
    ),
    Bug(
        "one grant outweighs a denial",
        "consent.py",
        "when min(case when is_granted",
        "when max(case when is_granted",
        "test_consent.py::test_one_denial_outweighs_any_grant",
    ),
    Bug(
        "each row of a shared address is a member",
        "desired.py",
        "if desired < speaking:",
        "if False:",
        "test_desired.py::test_a_shared_address_is_removed_with_its_last_owner",
    ),
    Bug(
        "identifiers are not counted",
        "plan.py",
        'if counts["remove"] and sync.mode not in ONE_WAY and is_counting(warehouse, sync.name):',
        "if False:",
        "test_shared_identifiers.py::test_who_leaves_is_removed_by_what_nobody_else_has",
    ),
    Bug(
        "counts are forgotten by the machine as well",
        "plan.py",
        'if counts["remove"] and sync.mode not in ONE_WAY and is_counting(warehouse, sync.name):',
        "if False:",
        "test_machine_of_shared_identifiers.py",
    ),
    Bug(
        "who is to come counts as there",
        "shared.py",
        "where journal.is_held and journal.pending_operation is distinct from 'remove'",
        "where true",
        "test_left_over.py::test_what_goes_over_to_a_row_that_is_rejected_is_removed_with_the_next_run",
    ),
    Bug(
        "what others have is left to nobody",
        "journal.py",
        "if left_over:",
        "if False:",
        "test_left_over.py::test_what_goes_over_to_a_row_that_does_not_arrive_is_not_lost",
    ),
    Bug(
        "a re-send is a new operation",
        "plan.py",
        "when is_resend then pending_id",
        "when false then pending_id",
        "test_journal.py::test_what_was_sent_but_not_answered_is_sent_again_under_its_id",
    ),
    Bug(
        "a return is taken for a replay",
        "plan.py",
        'else f"{sync.name}/{epoch}"',
        'else f"{sync.name}"',
        "test_journal.py::test_the_same_payload_after_a_removal_is_a_new_operation",
    ),
    Bug(
        "no answer counts as not sent",
        "deliver.py",
        'return Answer(Verdict.BROKEN, "no_answer", is_uncertain=True)',
        'return Answer(Verdict.BROKEN, "no_answer", is_uncertain=is_uncertain)',
        "test_deliver.py::test_what_was_not_answered_is_deferred_or_unknown_as_the_error_says",
    ),
    Bug(
        "who lost the lease writes on",
        "lease.py",
        "if not renewed:",
        "if False:",
        "test_lease.py::test_who_lost_the_lease_stops_before_writing",
    ),
    Bug(
        "a hold keeps who asked to leave",
        "run.py",
        "where run_id = ? and coalesce(reason, '') <> 'revoked'",
        "where run_id = ?",
        "test_guard.py::test_a_hold_does_not_keep_those_who_asked_to_leave",
    ),
    Bug(
        "an approval is good for any plan",
        "approval.py",
        'where sync_name = ? and plan_id = ? and used_by_run is null",\n        [sync.name, held],',
        "where sync_name = ? and ? <> '' and used_by_run is null\",\n        [sync.name, held],",
        "test_guards_as_code.py::test_another_plan_than_the_approved_is_held_again",
    ),
    Bug(
        "members of former rules are believed",
        "identity.py",
        "hashlib.md5(made.encode(), usedforsecurity=False).hexdigest(), ways)",
        '"one", ways)',
        "test_identity.py::test_other_rules_make_other_members_and_the_old_are_removed_as_delivered",
    ),
    Bug(
        "plain identifiers among the fields",
        "mapper.py",
        "if column not in identity.unreadable",
        "if column",
        "test_identity.py::test_identifiers_leave_normalised_and_hashed_and_never_as_fields",
    ),
    Bug(
        "a second step that failed is taken for nothing sent",
        "deliver.py",
        "return replace(reply, response=None, is_uncertain=True)",
        "return replace(reply, response=None, is_uncertain=False)",
        "test_follow.py::test_whatever_goes_wrong_after_the_first_step_leaves_rows_unknown",
    ),
    Bug(
        "a request at fault is blamed on its rows",
        "deliver.py",
        "if len(rows) == 1 or self.destination.spec.shape(rows[0]) in self._taken:",
        "if True:",
        "test_deliver.py::test_a_request_of_which_no_row_is_taken_alone_is_itself_at_fault",
    ),
    Bug(
        "who is refused at the second step is not removable",
        "answer.py",
        "Receipt(row, Outcome.REJECTED, answer.code, is_part=answer.stands)",
        "Receipt(row, Outcome.REJECTED, answer.code)",
        "test_follow.py::test_what_the_first_step_did_stays_removable_after_a_refusal_at_the_second",
    ),
    Bug(
        "a lower sync does not wait for a higher one",
        "policy.py",
        "[*policy.lower, *(sync.name for sync in policy.higher)]",
        "[*policy.lower]",
        "test_ladder.py::test_who_moves_down_waits_for_the_first_when_the_second_runs_alone",
    ),
    Bug(
        "fields are compared with what may not be there",
        "batch.py",
        "when journal.pending_operation is null and journal.delivered_fingerprint is not null then",
        "when true then",
        "test_changed_fields.py::test_after_a_send_without_an_answer_everything_is_sent",
    ),
    Bug(
        "absence is proof",
        "reconcile.py",
        "ours.found_by in (select found_by",
        "ours.found_by not in (select found_by",
        "test_reconcile.py::test_who_is_not_there_is_sent_again",
    ),
    Bug(
        "who is on the old list is forgotten",
        "place.py",
        "    if held:",
        "    if False:",
        "test_place.py::test_another_list_is_refused_while_the_old_one_has_members",
    ),
]
