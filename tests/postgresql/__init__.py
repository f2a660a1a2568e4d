"""The suite's database backend: requests go through the application's role, a test's own rows by the platform's."""
