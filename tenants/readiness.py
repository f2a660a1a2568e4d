"""Whether this process still takes work. A load balancer asks for it at /readyz."""

_going_away = False


def go_away() -> None:
    """From now on /readyz answers 503: whoever can be served elsewhere should be."""
    global _going_away
    _going_away = True


def is_going_away() -> bool:
    return _going_away
