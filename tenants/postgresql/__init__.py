"""Django's backend for PostgreSQL, which tells the server with each statement whose visit it serves."""
