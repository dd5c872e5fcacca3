# The image that docker-compose.yml names: `docker compose build`.
# The same three steps work on any bare Debian: packages, `cargo xtask dist`, copying.

FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev make nodejs npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Compiled output stays in the builder's cache, so the next image takes minutes less.
RUN --mount=type=cache,target=/root/.cache/crm-integrator \
    --mount=type=cache,target=/usr/local/cargo/registry \
    cargo xtask dist /out

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/integrator integrator
COPY --from=build /out/integrator /out/sandbox /usr/local/bin/
COPY --from=build /out/interface /usr/share/integrator/interface
USER integrator
WORKDIR /var/lib/integrator
ENV INTEGRATOR_SERVER__STATIC_DIR=/usr/share/integrator/interface
EXPOSE 8080
CMD ["integrator", "serve"]
