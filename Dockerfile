# One Soku server. docs/operations/deploy.md describes how to run it.
#
#   docker build -t soku .
#   docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges -p 127.0.0.1:3000:3000 -v soku:/var/lib/soku soku

# The version that is tested (package.json).
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /src
COPY . .
# Installs what package-lock.json lists, without install scripts, and builds, like `npm start`.
RUN node scripts/prepare.mjs --build && node scripts/assemble.mjs /opt/soku

FROM node:${NODE_VERSION}-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Soku API Keys" \
      org.opencontainers.image.description="Self-hosted API keys with immediate revocation on every server." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/soku /opt/soku
# A new named volume gets the owner and the mode of this directory.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/soku
ENV PATH=/opt/soku/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Published ports do not reach 127.0.0.1 of the container, which is the default of HOST.
ENV HOST=0.0.0.0
ENV SOKU_DATA_DIR=/var/lib/soku
# The user `node` of the base image, as a number because Kubernetes' runAsNonRoot needs one.
USER 1000:1000
WORKDIR /var/lib/soku
VOLUME /var/lib/soku
EXPOSE 3000 3001
# /healthz reports whether the process is alive. /readyz is for load balancers: a restart does not help a server whose
# database is away. The start includes migrations, which may take minutes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Becomes Node by exec, so signals reach the server.
CMD ["soku-server"]
