"""Who consents to a sync's purposes through its channel: one denial outweighs any grant, no row means no."""

from reverse_etl.sync import Sync


def consented(sync: Sync, where: str = "") -> str:
    """Write SQL: a row for each profile with a choice; 1 all is granted, 0 something is denied, null not all asked.

    Purposes and channels are words of a closed list, so they stand in the text.
    """
    purposes = ", ".join(f"'{purpose}'" for purpose in sync.purposes)
    return f"""
    select
        profile_id,
        case
            when min(case when is_granted then 1 else 0 end) = 0 then 0
            when count(distinct purpose) = {len(sync.purposes)} then 1
        end as is_granted
    from profiles.consents
    where purpose in ({purposes}) and channel = '{sync.channel}' {where}
    group by profile_id
    """
