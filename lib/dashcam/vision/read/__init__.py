"""Readers of plates: the engines, how well a crop can be read, and one text from many reads."""
