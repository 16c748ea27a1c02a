"""Evidence: a stretch of a clip as a folder that proves itself, for an insurer or the police.

`bundle` makes it, `verify` finds whatever was changed in it since. What is in it says docs/evidence.md.
"""
