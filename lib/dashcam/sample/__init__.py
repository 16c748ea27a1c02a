"""A made-up drive with known plates and known positions: for tests, for `make demo`, for measuring."""
