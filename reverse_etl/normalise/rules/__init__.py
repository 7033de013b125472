"""How one field's value is written; each rule gives the text or raises `Unusable`."""
