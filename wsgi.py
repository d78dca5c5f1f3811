"""The application for the web server and the flask command."""

from app.factory import create_app

app = create_app()
