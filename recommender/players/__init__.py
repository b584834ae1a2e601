"""Players whose queues are filled."""
