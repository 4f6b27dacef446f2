"""How the database came to its shape: alembic's environment and one module per step."""
