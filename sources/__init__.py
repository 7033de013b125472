"""Everything outside the warehouse on the way in: connectors that land rows in `raw`."""
