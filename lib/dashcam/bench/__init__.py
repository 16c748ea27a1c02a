"""What things cost, measured beside a baseline in the same run."""
