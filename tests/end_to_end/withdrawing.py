"""Somebody who is in audiences, and what their browser sends when they take their consent back."""

SETTINGS = "sources: {site: {write_key: wk_test, kind: browser}}\n"
HELD = """
select journal.profile_id, min(identifiers.identifier_value), count(distinct journal.sync_name)
from activation.journal
inner join identity.profile_identifiers as identifiers
    on journal.profile_id = identifiers.profile_id and identifiers.identifier_type = 'user_id'
where journal.is_held
group by journal.profile_id
order by 3 desc, 1
"""


def logins_of_those_held(ask):
    """Return profile, login and how many audiences hold them, the most first."""
    return ask(HELD)


def withdrawal(login):
    return {
        "type": "track", "event": "Segment Consent Preference Updated", "userId": login, "anonymousId": "withdrawing",
        "messageId": "withdrawal", "timestamp": "2026-03-02T08:00:00Z",
        "context": {"consent": {"categoryPreferences": {"advertising": False, "marketing": False, "analytics": False}}},
    }  # fmt: skip
