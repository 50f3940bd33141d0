# Build: docker build --build-arg GO_IMAGE=golang:1.26-bookworm -t consentry .
# Run:   docker run --rm -v ./in:/in:ro -v ./out:/out -v consentry-models:/models consentry \
#          redact /in --purpose website --out /out --register /in/register --references /in/references
# The weights are not in the image (see docs/models.md): `models pull` needs npm and runs outside,
# or the folder is mounted at /models.
ARG GO_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=debian:12-slim

FROM ${GO_IMAGE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ pkg-config libopencv-dev libopencv-contrib-dev libdlib-dev libopenblas-dev liblapack-dev \
      libatlas-base-dev libjpeg62-turbo-dev libturbojpeg0-dev libwebp-dev libheif-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Without -march=native, so that the image runs on any x86-64 machine.
ENV CXX=/src/deploy/cxx-portable
RUN go build -trimpath -ldflags='-s -w' -o /consentry ./cmd/consentry

FROM ${RUN_IMAGE}
# OpenBLAS is what makes the first recogniser fast: 44 ms a face instead of 330 ms with the
# reference BLAS that would be chosen otherwise. libdlib-data holds the shape predictor.
RUN apt-get update && apt-get install -y --no-install-recommends \
      libopencv-dnn406 libopencv-imgcodecs406 libopencv-imgproc406 libopencv-calib3d406 libopencv-contrib406 \
      libopencv-features2d406 libopencv-highgui406 libopencv-objdetect406 libopencv-photo406 \
      libopencv-video406 libopencv-videoio406 \
      libdlib19.1 libdlib-data libopenblas0-pthread liblapack3 libatlas3-base \
      libjpeg62-turbo libturbojpeg0 libwebp7 libheif1 ffmpeg ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/consentry --create-home consentry \
    && mkdir /models && chown consentry /models
COPY --from=build /consentry /usr/local/bin/consentry
USER consentry
ENV XDG_STATE_HOME=/var/lib
VOLUME ["/var/lib/consentry", "/models"]
ENTRYPOINT ["consentry"]
CMD ["--help"]
