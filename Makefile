# Every target installs what it needs first. On a fresh Debian 12 machine with Go and npm,
# `make demo` and `make test` are all that has to be typed.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

BIN     := bin/consentry
OUT     := out
TOOLS   := $(CURDIR)/.tools
MODELS  ?= $(or $(CONSENTRY_MODELS),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/consentry/models)
export CONSENTRY_MODELS := $(MODELS)

GOLANGCI_LINT := v2.15.0
GOFUMPT       := v0.12.0

PACKAGES := g++ pkg-config libopencv-dev libopencv-contrib-dev libdlib-dev libopenblas-dev liblapack-dev \
            libatlas-base-dev libjpeg62-turbo-dev libturbojpeg0-dev libwebp-dev libheif-dev ffmpeg \
            webp libheif-examples

.PHONY: deps packages models build demo test test-fast lint bench eval fuzz sbom clean

deps: packages models

packages:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing Debian packages:" $$missing; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

build: packages
	@mkdir -p bin
	go build -trimpath -o $(BIN) ./cmd/consentry

models: build
	$(BIN) models pull --samples --models $(MODELS)

demo: deps
	rm -rf $(OUT)/demo
	$(BIN) demo --models $(MODELS) $(OUT)/demo

test: deps
	go vet ./...
	go test -timeout 30m ./...
	go test -race -short -timeout 30m $$(go list ./... | grep -v -e /models/vision -e /internal/media/raster -e /internal/media/motion -e /cmd/)

test-fast: packages
	go test -short ./...

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)

$(TOOLS)/gofumpt:
	GOBIN=$(TOOLS) go install mvdan.cc/gofumpt@$(GOFUMPT)

lint: packages $(TOOLS)/golangci-lint $(TOOLS)/gofumpt
	@unformatted=$$($(TOOLS)/gofumpt -l .); if [ -n "$$unformatted" ]; then echo "run gofumpt on:" $$unformatted; exit 1; fi
	go vet ./...
	$(TOOLS)/golangci-lint run
	go mod tidy -diff

# Tables go to the terminal and to files under out/.
bench: deps
	@mkdir -p $(OUT)
	$(BIN) measure bench --models $(MODELS) | tee $(OUT)/bench.txt

# MEDIA may name a folder with people/, crowds/ and faces.mp4, and YUNET the weights of the yardstick.
MEDIA ?= $(wildcard ../shared/media)
YUNET ?= $(wildcard ../shared/models/yunet_n_640_640.onnx)
eval: deps
	@mkdir -p $(OUT)
	$(BIN) measure eval --models $(MODELS) \
	  $(if $(MEDIA),--people $(MEDIA)/people --crowds $(MEDIA)/crowds --clip $(MEDIA)/faces.mp4) $(if $(YUNET),--yunet $(YUNET)) | tee $(OUT)/eval.txt

FUZZTIME ?= 60s
fuzz: packages
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$p; \
	  done; \
	done

sbom: build
	@mkdir -p $(OUT)
	$(BIN) sbom $(PACKAGES) > $(OUT)/sbom.json
	@echo written to $(OUT)/sbom.json

clean:
	rm -rf bin $(OUT) .tools
