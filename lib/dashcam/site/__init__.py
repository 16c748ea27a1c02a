"""Setting up a site of several machines: the main server, each device, and the services that keep them running."""
