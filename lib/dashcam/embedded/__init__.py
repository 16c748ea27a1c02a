"""The whole system on one machine, in one data folder, as plain processes: what `dashcam process` and `up` start."""
