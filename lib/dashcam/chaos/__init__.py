"""The pipeline under faults that a seed chooses, and what must hold after them (docs/reliability.md)."""
