/** Public images, and names that resemble Istio's: none may cause a finding. */
export const ordinaryImages: readonly string[] = `
adminer alpine alpine:3.20 alpine/git alpine/helm alpine/k8s amazonlinux:2023 amazon/aws-cli apache/airflow
apache/kafka apache/spark api-firewall aquasec/trivy archlinux argoproj/argocd auto autopilot bash bitnami/kubectl
bitnami/mongodb bitnami/nginx bitnami/postgresql bitnami/redis bitnami/istioctl busybox busybox:1.28 caddy
calico/cni calico/node calico/pilot-light cassandra centos:7 certbot/certbot chronograf ciscocni/install
clickhouse/clickhouse-server cockroachdb/cockroach composer confluentinc/cp-kafka consul copilot coredns/coredns
couchbase couchdb curlimages/curl cypress/included datadog/agent debian:bookworm-slim docker docker:dind
dpage/pgadmin4 drupal eclipse-temurin:21 elasticsearch:8.15.0 elixir envoyproxy/envoy:v1.31.0
envoyproxy/gateway envoyproxy/ratelimit erlang ethereum/client-go fedora flannel/flannel flannel/flannel-cni-plugin
fluent/fluent-bit fluxcd/flux fortio/fortio freeradius/freeradius-server gcc ghost gitea/gitea gitlab/gitlab-ce
golang:1.23 google/cloud-sdk gradle grafana/grafana grafana/loki grafana/tempo graylog/graylog haproxy
hashicorp/consul hashicorp/terraform hashicorp/vault haskell hello-world httpd influxdb invoiceninja/invoiceninja
jaegertracing/all-in-one:1.60 jenkins/jenkins jetbrains/teamcity-server joomla julia jupyter/base-notebook keycloak/keycloak
kennethreitz/httpbin kibana:8.15.0 kindest/node:v1.33.0 kiwigrid/k8s-sidecar kong kong/kubernetes-ingress-controller
langchain/langchain library/redis linkerd/extension-init localstack/localstack logstash:8.15.0 mailhog/mailhog
mariadb matomo mattermost/mattermost-team-edition maven memcached metabase/metabase minio/minio mongo mongo-express mysql
nats neo4j netboxcommunity/netbox nextcloud nginx nginx:1.27-alpine nginxinc/nginx-unprivileged node:22 node-agent nodered/node-red
odoo openjdk openpolicyagent/opa openresty/openresty openzipkin/zipkin operator opensearchproject/opensearch oraclelinux
percona perl photon php phpmyadmin pilot portainer/portainer-ce postgres:17 postgis/postgis prom/alertmanager
prom/node-exporter prom/prometheus prom/pushgateway proxy proxysql/proxysql pulumi/pulumi puppet/puppetserver
python:3.13 pytorch/pytorch rabbitmq rancher/k3s rancher/rancher rancher/system-upgrade-controller redis redis:7
redis/redis-stack redmine registry:2 rocker/rstudio ruby rust selenium/hub sentry solr sonarqube sonatype/nexus3
swift swaggerapi/swagger-ui telegraf tensorflow/tensorflow thanosio/thanos tomcat traefik:v3.1 traefik/whoami
ubuntu:24.04 ubuntu/nginx varnish vault verdaccio/verdaccio weaveworks/weave-kube wiremock/wiremock wordpress
yugabytedb/yugabyte zookeeper
acme/app acme/operator acme/ext-authz acme/agentgateway acme/pilot acme/galley acme/mixer acme/citadel acme/base
acme/copilot acme/pilot-agent acme/istioctl-action acme/proxy-v2 acme/proxyv2-exporter acme/web-proxyv2 acme/ztunnels
acme/my-install-cni-test acme/kubectl acme/examples-bookinfo acme/tcp-echo-server acme/health acme/mistiopilot
ghcr.io/acme/app:1.0 ghcr.io/acme/operator:1.0 ghcr.io/acme/platform/operator ghcr.io/acme/platform/pilot
ghcr.io/github/copilot ghcr.io/fluxcd/source-controller:v1.4.0 ghcr.io/cloudnative-pg/cloudnative-pg ghcr.io/spiffe/spire-agent
ghcr.io/kiali/kiali-operator ghcr.io/kyverno/kyverno ghcr.io/linkerd/proxy cr.l5d.io/linkerd/proxy:stable
cr.agentgateway.dev/agentgateway:v1.4.1 quay.io/kiali/kiali:v2.0 quay.io/kiali/kiali-operator quay.io/cilium/cilium
quay.io/jetstack/cert-manager-controller quay.io/jetstack/cert-manager-istio-csr quay.io/prometheus/prometheus
quay.io/argoproj/argocd quay.io/calico/cni quay.io/coreos/etcd quay.io/keycloak/keycloak quay.io/sail-dev/sail-operator
quay.io/openshift/origin-cli gcr.io/distroless/static gcr.io/distroless/base gcr.io/kaniko-project/executor
gcr.io/google-samples/hello-app:1.0 gcr.io/google-containers/pause gcr.io/istio-release/examples-helloworld-v1
registry.k8s.io/pause:3.10 registry.k8s.io/coredns/coredns registry.k8s.io/ingress-nginx/controller
registry.k8s.io/kube-proxy:v1.33.0 registry.k8s.io/etcd:3.5.21-0 registry.k8s.io/gateway-api/admission-server
registry.k8s.io/metrics-server/metrics-server mcr.microsoft.com/dotnet/aspnet:9.0 mcr.microsoft.com/oss/kubernetes/pause
public.ecr.aws/docker/library/redis public.ecr.aws/eks/amazon-k8s-cni-init public.ecr.aws/appmesh/aws-appmesh-envoy
registry.access.redhat.com/ubi9/ubi registry.redhat.io/openshift-service-mesh/kiali-rhel9 nvcr.io/nvidia/cuda:12.6.0-base
cgr.dev/chainguard/nginx cgr.dev/chainguard/kubectl dhi.io/nginx docker.elastic.co/beats/filebeat:8.15.0
localhost:5000/app 127.0.0.1:30500/acme/operator [::1]:5000/acme/pilot
istio/examples-bookinfo-productpage-v1:1.20.3 istio/examples-helloworld-v2 istio/tcp-echo-server:1.3
`
  .trim()
  .split(/\s+/);
