import { componentPrefixes } from './components.ts';

/*
 * Sources: the Dockerfiles of istio/istio, as in its module of 27 August 2026 and in earlier versions of the same files.
 * Each sets `ENTRYPOINT`, but for install-cni, which sets `CMD` alone. Istio's Dockerfile of agentgateway sets neither:
 * that image is the project's own, whose Dockerfile sets `ENTRYPOINT`.
 */

/** The base names of the programs that Istio's images start, and the component of each. */
const starts: ReadonlyMap<string, string> = new Map([
  ['pilot-discovery', 'pilot'], // pilot/docker/Dockerfile.pilot: /usr/local/bin/pilot-discovery
  ['pilot-agent', 'proxyv2'], // pilot/docker/Dockerfile.proxyv2: /usr/local/bin/pilot-agent
  ['ztunnel', 'ztunnel'], // pilot/docker/Dockerfile.ztunnel: /usr/local/bin/ztunnel
  ['install-cni', 'install-cni'], // cni/deployments/kubernetes/Dockerfile.install-cni: /usr/local/bin, /opt/cni/bin
  ['istioctl', 'istioctl'], // istioctl/docker/Dockerfile.istioctl: /usr/local/bin/istioctl
  ['operator', 'operator'], // operator/docker/Dockerfile.operator, to 1.23: /usr/local/bin/operator
  ['agentgateway', 'agentgateway'], // agentgateway/agentgateway Dockerfile, from 1.29: /app/agentgateway
  ['server', 'app'], // pkg/test/echo/docker/Dockerfile.app: /usr/local/bin/server
  ['extauthz', 'ext-authz'], // samples/extauthz/docker/Dockerfile: /usr/local/bin/extauthz
  ['echo-start.sh', 'app_sidecar'], // pkg/test/echo/docker/Dockerfile.app_sidecar: /usr/local/bin/echo-start.sh
]);

/** One image for each distribution, all of which start the same. */
const isSidecarApp = (component: string | undefined): boolean =>
  componentPrefixes.some((prefix) => component?.startsWith(prefix));

/**
 * Returns the known component whose image starts with this word, the first of its `ENTRYPOINT` or else of its `CMD`;
 * undefined if none does. Of components that start the same, it is the one asked for.
 */
export const componentOfStart = (word: string, asked: string | undefined): string | undefined => {
  const component = starts.get(word.slice(word.lastIndexOf('/') + 1));
  return component === 'app_sidecar' && isSidecarApp(asked) ? asked : component;
};
