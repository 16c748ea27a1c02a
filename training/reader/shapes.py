"""What goes into the reader and what comes out."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = len(ALPHABET)
SLOTS = 10
HEIGHT, WIDTH = 48, 144
GRID = (HEIGHT // 8, WIDTH // 8)
"""Rows and columns of the feature map: a cell is 8 x 8 pixels of the input."""
