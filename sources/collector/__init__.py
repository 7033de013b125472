"""The HTTP door for events: takes what Segment's kits and signed webhooks send, says 200 once it is on disk."""
