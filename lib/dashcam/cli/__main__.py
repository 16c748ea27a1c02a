"""``python -m dashcam.cli``, where the ``dashcam`` command is not installed."""

from dashcam.cli import main

if __name__ == "__main__":
    main()
