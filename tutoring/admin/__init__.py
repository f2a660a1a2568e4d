"""What operators see and set of the tutor. What students and the tutor said is on none of these pages."""

from tutoring.admin import feedback, generations, policies, usage

__all__ = ["feedback", "generations", "policies", "usage"]
