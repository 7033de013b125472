"""Why somebody is one person: evidence shown, questioned, decided by people, and tried before it lands."""
