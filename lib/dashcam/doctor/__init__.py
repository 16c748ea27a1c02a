"""What may be wrong with a machine of the site, and what to do about it: ``dashcam doctor``."""
