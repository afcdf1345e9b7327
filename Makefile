# Everything a person types. `make run` starts the service, `make test` proves it.

UV = .venv/bin/uv
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

.PHONY: run test test-full lint lock

run: .venv/installed
	@.venv/bin/python manage.py up

# What does not depend on the kind of database, or chooses its own, is tested once, on the one or on the other.
ON_SQLITE = pipeline exports hostile/test_hostile.py management/test_transcribe.py test_env.py test_sqlite.py \
	test_web_process.py test_benchmarks.py test_licences.py test_tune_command.py test_routes.py test_who_may.py \
	staff/test_who_may.py test_webhooks.py test_web_server.py test_examples.py test_errors.py test_options.py \
	test_wording.py api/openai api/test_asr.py api/test_known_speakers.py media/test_only_access.py \
	progress/test_emitter.py worker/test_retime.py hostile/test_hostile_tasks.py websocket media/test_playable.py \
	media/test_folder.py test_health.py
ON_POSTGRESQL = e2e worker/test_process.py worker/test_again.py api/v1 api/test_streaming.py api/test_recordings.py \
	management/test_migrate.py progress/test_broadcast.py pages test_admin.py test_asgi.py test_retention.py \
	worker/test_webhooks.py staff/test_bulk.py api/test_transcripts.py api/test_metrics.py api/test_upload.py

# Both databases at once, for there are two cores; what PostgreSQL's tests said is shown at the end.
test: lint
	@TEST_DATABASE=postgresql .venv/bin/python -m pytest $(ON_SQLITE:%=--ignore=tests/%) >.test-postgresql.log 2>&1 & other=$$!; \
	.venv/bin/python -m pytest $(ON_POSTGRESQL:%=--ignore=tests/%); status=$$?; \
	wait $$other || status=$$?; \
	echo; echo "On PostgreSQL:"; cat .test-postgresql.log; \
	exit $$status

# All cases of which `make test` tries some of each kind: an hour or two.
test-full: .venv/installed-dev
	@.venv/bin/python -m pytest --full --cov

lint: .venv/installed-dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

.venv/bin/uv: requirements-uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found."; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --require-hashes -r requirements-uv.txt
	@touch $@

.venv/installed: .venv/bin/uv requirements.txt
	$(UV) pip install --python .venv/bin/python --require-hashes -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt requirements-npm.txt
	$(UV) pip install --python .venv/bin/python --require-hashes -r requirements-dev.txt
	.venv/bin/python -m tests.npm_packages
	@touch $@

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

lock: .venv/bin/uv
	$(COMPILE) requirements-uv.in -o requirements-uv.txt
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
