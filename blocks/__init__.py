"""Prefect blocks: what a device cannot know by itself, kept where every flow can load it and a person can see it."""
