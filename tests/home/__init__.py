"""A home in a box (``make home``): five hosts as network namespaces, set up by the commands of docs/setup alone."""
