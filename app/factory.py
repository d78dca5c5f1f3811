"""Build the application: extensions, blueprints, handlers, headers."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.aggregators import registry as aggregators
from app.blueprints import register_blueprints
from app.cli import register_commands
from app.config import Environment, Settings
from app.connectors import registry as connectors
from app.extensions import csrf, limiter, migrate
from app.jobs.doorbell import REDIS_TIMEOUTS, connect
from app.kernel import limits
from app.models import db
from app.models.session import prepare_engine
from app.tenancy.scope import install_tenant_wall
from app.web.access import install_access
from app.web.filters import install_filters
from app.web.logs import configure_logs
from app.web.refusals import install_refusals
from app.web.requests import install_requests


def create_app(settings: Settings | None = None) -> Flask:
    """Return a ready application.

    Args:
        settings: Read from the environment when left out.
    """
    settings = settings or Settings.from_environment()
    if settings.environment is not Environment.TEST:
        configure_logs(settings.log_level)
    app = Flask(__name__)
    app.config.from_mapping(_flask_config(settings))
    app.extensions["settings"] = settings
    app.extensions["redis"] = connect(settings.redis_url)
    app.extensions["aggregators"] = aggregators.configured(settings.plaid, settings.mx)
    app.extensions["connectors"] = connectors.configured(settings.connectors)
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app,
        x_for=settings.trusted_proxies_count,
        x_proto=settings.trusted_proxies_count,
        x_host=settings.trusted_proxies_count,
    )
    _prepare_database(app)
    install_requests(app, settings)
    csrf.init_app(app)
    limiter.init_app(app)
    install_access(app)
    install_filters(app)
    install_refusals(app)
    register_blueprints(app)
    register_commands(app)
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        # An error of the database must not carry what was to be written into the logs.
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},
        "MAX_CONTENT_LENGTH": limits.UPLOAD_BYTES_MAX + 64 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "SESSION_COOKIE_NAME": "tieout",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),
        "WTF_CSRF_TIME_LIMIT": None,  # month end is longer than an hour
        "RATELIMIT_STORAGE_URI": settings.redis_url.replace("unix://", "redis+unix://", 1),
        "RATELIMIT_STORAGE_OPTIONS": REDIS_TIMEOUTS,
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_ENABLED": settings.environment is not Environment.TEST,
        "RATELIMIT_HEADERS_ENABLED": True,
        "RATELIMIT_HEADER_LIMIT": "RateLimit-Limit",
        "RATELIMIT_HEADER_REMAINING": "RateLimit-Remaining",
        "RATELIMIT_HEADER_RESET": "RateLimit-Reset",
        "TESTING": settings.environment is Environment.TEST,
        "PROPAGATE_EXCEPTIONS": False,
    }


def _prepare_database(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    if settings.database_url.startswith("sqlite:///"):
        settings.instance_path.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        prepare_engine(db.engine)
    install_tenant_wall()
