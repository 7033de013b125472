"""Triggers: something happens → wait → look again → a message, once per person and reason. One file is one trigger."""
