"""What destinations of ads share, whatever the platform: how people and events are told to it."""
