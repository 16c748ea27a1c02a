"""The task table: two states, pending and complete; who may run what; what comes next."""
