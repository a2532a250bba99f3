import { once } from 'node:events';
import { createServer, connect as open, type Socket } from 'node:net';
import { runOrThrow, runProgram } from '../../tools.ts';
import type { Api } from '../api.ts';
import type { EndpointSlice, Service } from '../objects.ts';

/*
 * A simulated kube-proxy: connections to the address of a Service are forwarded to a ready endpoint. Pods and clients
 * need it; the API server does not, because it calls webhooks at their endpoints (`--enable-aggregator-routing`).
 */

interface Listed<Item> {
  readonly items: readonly Item[];
}

const hasAddress = ({ spec }: Service): boolean => spec.clusterIP !== undefined && spec.clusterIP !== 'None';

/** Returns the addresses of all Services by their names in a cluster's DNS: `NAME.NAMESPACE.svc`. */
export const serviceNames = async (api: Api): Promise<Readonly<Record<string, string>>> => {
  const { items } = await api.get<Listed<Service>>('/api/v1/services');
  return Object.fromEntries(
    items
      .filter(hasAddress)
      .map(({ metadata, spec }) => [`${metadata.name}.${metadata.namespace}.svc`, spec.clusterIP ?? '']),
  );
};

/** Returns the ready endpoints of a port of a Service. */
const targetsOf = async (api: Api, { metadata }: Service, port: string | undefined) => {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${metadata.namespace}/endpointslices`;
  const selector = encodeURIComponent(`kubernetes.io/service-name=${metadata.name}`);
  const { items } = await api.get<Listed<EndpointSlice>>(`${path}?labelSelector=${selector}`);
  return items.flatMap(({ endpoints, ports = [] }) => {
    const target = ports.find(({ name = '' }) => name === (port ?? ''))?.port;
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return target === undefined
      ? []
      : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: target })));
  });
};

const join = (client: Socket, endpoint: Socket): void => {
  client.pipe(endpoint);
  endpoint.pipe(client);
  client.once('error', () => endpoint.destroy());
  endpoint.once('error', () => client.destroy());
};

export interface ServiceProxy {
  stop(): Promise<void>;
}

/** Forwards connections to the ports of one Service that exists. */
export const proxyService = async (api: Api, namespace: string, name: string): Promise<ServiceProxy> => {
  await using started = new AsyncDisposableStack();
  const service = await api.get<Service>(`/api/v1/namespaces/${namespace}/services/${name}`);
  const { clusterIP: address = '', ports = [] } = service.spec;
  const device = [`${address}/32`, 'dev', 'pods'];
  await runOrThrow('ip', ['address', 'add', ...device]);
  started.defer(async () => void (await runProgram('ip', ['address', 'delete', ...device])));
  const forward = async (client: Socket, port: string | undefined): Promise<void> => {
    const targets = await targetsOf(api, service, port);
    const target = targets[Math.floor(Math.random() * targets.length)];
    if (target === undefined) client.destroy();
    else join(client, open(target));
  };
  for (const { name: port, port: number } of ports) {
    const clients = new Set<Socket>();
    const server = createServer((client) => {
      clients.add(client);
      client.once('close', () => clients.delete(client));
      forward(client, port).catch(() => client.destroy());
    });
    started.use(server);
    started.defer(() => clients.forEach((client) => client.destroy()));
    server.listen(number, address);
    await once(server, 'listening');
  }
  const running = started.move();
  return { stop: () => running.disposeAsync() };
};
