"""The Prefect flows, one file per stage: take task ids, load the device, call the library, complete."""
