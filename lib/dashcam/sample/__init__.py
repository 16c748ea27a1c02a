"""A made-up drive with known plates and known positions: for tests, for `make demo`, for measuring."""

from dashcam.sample.drive import TrueClip, TruePlate, Truth, short_clips, write_drive

__all__ = ["TrueClip", "TruePlate", "Truth", "short_clips", "write_drive"]
