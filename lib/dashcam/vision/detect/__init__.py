"""Detectors of plates: the engines, and what is common to them."""
