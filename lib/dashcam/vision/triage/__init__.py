"""The cheap look at keyframes: what is worth the heavy stage, where plates may be, and a sample of the rest."""
