"""What messages say: texts with declared fields, and what becomes of a message that lacks one."""
