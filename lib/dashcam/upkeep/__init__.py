"""What keeps the house in order: what may go and when, and what was left behind."""
