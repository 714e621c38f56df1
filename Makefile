# Names the steps of deploy/local/bootstrap.sh, which works without make too.
STEPS := up down demo test test-peers check audit bench faults mutants schemas
.PHONY: help $(STEPS)

help:
	@echo "make up          build and start everything here, with a demo company; then say how to use it"
	@echo "make down        stop it; the data stays"
	@echo "make demo        play one support case on it and show every mail"
	@echo "make test        all tests that need Python only"
	@echo "make test-peers  tests that need Debian packages and root (Chromium, strace)"
	@echo "make check       lint, types, import rules, schemas up to date"
	@echo "make audit       ask for known vulnerabilities of the locked dependencies (needs a network)"
	@echo "make bench       measure speed and memory; table, and build/bench.json (ARGS=--long: growth, steady load, more processes)"
	@echo "make faults      kill and starve everything for a while; nothing may be lost (PROFILE=full, SEED=7)"
	@echo "make mutants     break twelve promises one by one; the tests must notice each (an hour)"
	@echo "make schemas     write the generated JSON Schemas, examples and documents anew"

$(STEPS):
	@sh deploy/local/bootstrap.sh $@ $(ARGS)
