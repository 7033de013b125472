"""What destinations of one ad platform share: its account, its way to say no."""
