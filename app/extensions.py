"""Flask extensions, made once and bound to the application by the factory."""

from __future__ import annotations

from flask import request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx

csrf = CSRFProtect()
htmx = Htmx()
login_manager = LoginManager()
migrate = Migrate(render_as_batch=True, compare_type=True)
limiter = Limiter(key_func=lambda: request.remote_addr or "unknown")
