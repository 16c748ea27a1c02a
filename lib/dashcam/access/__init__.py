"""Who may in: people, their sessions, tokens of devices and programs, and what was looked at and changed."""
