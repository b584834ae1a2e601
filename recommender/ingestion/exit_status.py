"""What the exit status of a process says about its end."""

import signal

_KILLS = (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM))


def describe_death(status: int) -> str:
    """How a process ended, as the second half of a sentence."""
    if status >= 0:
        return f"ended by itself (status {status})"
    try:
        return f"died of {signal.Signals(-status).name}"
    except ValueError:
        return f"died of signal {-status}"


def was_killed(status: int) -> bool:
    """Whether it was ended from outside: by the system for want of memory, by a user."""
    return -status in _KILLS
