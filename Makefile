# run: serve the dashboard · test: all tests · check: lint, types, layers · sweep: measure what is missing ·
# readme: renew the tables of the READMEs from the runs
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test check sweep readme

# An environment that a stamp file declares complete; made again when the requirements change.
.venv/run.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/test.stamp: .venv/run.stamp tests/requirements.txt
	$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	$(BIN)/python -m tests.browser.install
	touch $@

run: .venv/run.stamp
	$(BIN)/python -m streamlit run dashboard/serve.py --server.port $(PORT)

check: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile

sweep: .venv/run.stamp
	for case in $$($(BIN)/python -m engines cases); do $(BIN)/python -m engines sweep $$case || exit; done

readme: .venv/run.stamp
	for file in $$(grep -l '^<!-- report:' README.md engines/cases/*/README.md); do \
		$(BIN)/python -m engines report --into $$file || exit; done
