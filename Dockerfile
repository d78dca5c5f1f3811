FROM python:3.12-slim

RUN useradd --create-home tieout && install --directory --owner=tieout --mode=770 /srv/inbox
WORKDIR /srv/tieout

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --requirement requirements.txt

COPY wsgi.py .
COPY app app
COPY workers workers
COPY migrations migrations
COPY ops ops

USER tieout
ENV PYTHONUNBUFFERED=1 BIND=0.0.0.0 PORT=5000
EXPOSE 5000
CMD ["gunicorn", "--config", "ops/gunicorn_conf.py", "wsgi:app"]
