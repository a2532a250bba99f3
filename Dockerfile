# Both are arguments, so that a build can use its own copies, and pinned by the digest of the multi-platform index.
ARG BUILD_IMAGE=docker.io/library/node:26.10.0-trixie-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89

# This stage comes first: after a `FROM --platform`, older releases of buildah and podman (such as those of Debian 12) take the base
# images of the stages below for that platform too, and an image for arm64 would hold the files of amd64.
FROM ${RUNTIME_IMAGE} AS runtime

# The bundle is the same for every platform, so it is built on the platform of the builder.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc LICENSE tsconfig.json ./
RUN npm ci --no-audit --no-fund
COPY .ci/bundle.ts .ci/bundled-packages.ts .ci/left-out.ts .ci/licences.ts .ci/
COPY src src
ARG COMMIT=unknown
# The bundle consists of ES modules; Node learns that from the nearest package.json. It is Node that is run: no file of ours is
# a program.
RUN SAILMARK_COMMIT="$COMMIT" npm run -s build \
 && chmod a-x dist/main.js \
 && node .ci/licences.ts > dist/LICENSES.txt \
 && rm dist/metafile.json \
 && printf '{"type":"module"}\n' > dist/package.json

FROM runtime
# The version in package.json.
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="sailmark" \
      org.opencontainers.image.description="Lets a pod start only when every Istio image in it is signed by Istio's release key" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
ENV NODE_ENV=production
COPY LICENSE /app/LICENSE
COPY --from=build /build/dist /app
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/app/main.js"]
CMD ["--help"]
