"""The HTTP door for events: accepts what Segment's SDKs and signed webhooks send, and answers 200 once it is on disk."""
