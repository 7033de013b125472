"""Everything outside the warehouse on the way out: audiences delivered to tools."""
