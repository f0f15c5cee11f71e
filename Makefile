# The everyday words. Each installs what it needs first.

BUILD := build/release

.PHONY: all deps build demo test up bench bench-media check clean
all: build

deps:                       ## the Debian packages for building and running
	@tools/install-packages build run

build: deps                 ## build/release/bin/callsheet and the services
	@cmake --preset release >/dev/null
	@cmake --build --preset release

up: build                   ## run the stack until Ctrl-C
	@$(BUILD)/bin/callsheet up --data-dir .data --listen 127.0.0.1:8080

demo: build                 ## a finished video from a plan; VIDEO=clip.mp4 puts your clip in the middle
	@tools/install-packages demo
	@deploy/demo/run $(if $(VIDEO),"$(VIDEO)")

test: build                 ## every test
	@tools/install-packages demo test
	@cmake --build --preset release --target tests
	@tools/run-tests

bench: build                ## the figures of docs/ARCHITECTURE.md, as ratios of one run
	@cmake --build --preset release --target callsheet-bench
	@tools/run-bench

bench-media: build          ## the figures of media work against the ffmpeg command, as ratios of one run
	@tools/install-packages test
	@cmake --build --preset release --target callsheet-bench-media
	@tools/run-bench-media

check: deps                 ## format, tidy, headers, symbols, sanitizers
	@tools/install-packages demo test check
	@tools/check all

clean:
	@rm -rf build
