# Two commands are enough on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
SAMPLE := samples/melody.flac

.PHONY: demo test lint bench clean

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

# A spectrogram, a pitch track and audio of a bundled sample, the words in another, and some that
# are spoken, in out/.
demo: .venv/.installed
	$(BIN)/audiopipe run pipelines/demo.yaml $(SAMPLE) $(wildcard ../shared/audio/speech/arctic_a0001.flac) -o out
	$(BIN)/audiopipe run keywords samples/words.flac -o out
	$(BIN)/audiopipe speak "Good morning. It is 10:30 a.m., and this works." -o out/morning.flac
	@ls -l out/*

test: .venv/.installed
	$(BIN)/pytest -m "not gpu" --numprocesses auto --dist loadfile

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.installed
	$(BIN)/python benchmarks/core.py
	$(BIN)/python benchmarks/memory.py

clean:
	rm -rf .venv out
