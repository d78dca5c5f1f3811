"""Bring the database to the newest revision and load the demo organization, in one process.

Two `flask` commands would import the application twice, which is most of what a start costs.
"""

from __future__ import annotations

import flask_migrate

from wsgi import app


def main() -> None:
    """Migrate; outside production also load the demo, which prints how to sign in."""
    with app.app_context():
        flask_migrate.upgrade()
        if not app.extensions["settings"].is_production:
            app.cli.commands["load-demo"].main(args=[])


if __name__ == "__main__":
    main()
