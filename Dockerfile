# syntax=docker/dockerfile:1
# Parley alone: it needs a DATABASE_URL, see compose.yaml. The embedded Postgres is for installations without containers.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=docker
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/parley ./cmd/parley
# What a program expects of a system: certificates, time zones, a user, and somewhere to write.
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/tmp /data && chmod 1777 /root-fs/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
    && cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /root-fs/zoneinfo.zip \
    && echo 'parley:x:10001:10001:Parley:/data:/nonexistent' > /root-fs/etc/passwd \
    && echo 'parley:x:10001:' > /root-fs/etc/group

FROM scratch
COPY --from=build /root-fs/ /
COPY --from=build --chown=10001:10001 /data /data
COPY --from=build /out/parley /usr/local/bin/parley
ENV PARLEY_ADDR=0.0.0.0:8080 PARLEY_DATA_DIR=/data ZONEINFO=/zoneinfo.zip
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/usr/local/bin/parley", "doctor", "--running"]
ENTRYPOINT ["/usr/local/bin/parley"]
CMD ["serve"]
