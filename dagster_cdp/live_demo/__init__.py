"""`cdp demo --live`: what somebody does at the shop, answered in the sandboxes in seconds, with the clock of each."""
