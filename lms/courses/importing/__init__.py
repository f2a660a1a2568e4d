"""Courses from outside: read into plain values first (no database), then written in one transaction."""
