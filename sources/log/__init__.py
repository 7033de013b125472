"""The durable log: whoever appended a line and got an answer will see it read, once, whatever dies in between."""
