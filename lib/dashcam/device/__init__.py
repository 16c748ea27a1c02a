"""What a machine is, and what it may do now."""
