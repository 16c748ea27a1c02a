"""From sampled frames to the plates of a clip: which frames, following, reading, merging."""
