"""How the models were made; libraries that report to their makers are told not to by `dashcam`, before their import."""

import dashcam  # noqa: F401
