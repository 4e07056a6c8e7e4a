# The crawler, and scrapyd that starts its jobs. docs/deployment.md: how to run it, how it was tried.
FROM python:3.13.11-slim-trixie

ENV PYTHONUNBUFFERED=1

# PostgreSQL refuses to run as root and as a user without a name: the crawler is neither.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin kaspi

WORKDIR /srv/kaspi-crawler

# A layer of its own: it is made anew only when a requirement changes.
COPY requirements.txt ./
RUN pip install --no-cache-dir --compile --require-hashes --requirement requirements.txt

# .dockerignore says what comes along. It stays root's: a crawler does not change its own code.
COPY . ./
RUN python -m compileall -q . && install --directory --owner=kaspi --group=kaspi .data .data/feeds exports

# By number, so that a cluster that forbids root can see that it is none.
USER 10001:10001

# Logs, jobs, unreadable answers and the embedded database; the files of every crawl.
VOLUME ["/srv/kaspi-crawler/.data", "/srv/kaspi-crawler/exports"]

# Inside the container scrapyd listens on 127.0.0.1 until SCRAPYD_BIND_ADDRESS says otherwise.
EXPOSE 6800
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "tools/health.py"]

# scrapyd with a password: SCRAPYD_USERNAME and SCRAPYD_PASSWORD, else one that is made in .data.
CMD ["scrapy", "daemon"]
