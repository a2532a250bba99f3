import { createServer, connect as open, type Server, type Socket } from 'node:net';
import { mustRun, runProgram } from '../../tools.ts';
import type { Api } from '../api.ts';
import type { EndpointSlice, Service } from '../objects.ts';

/*
 * kube-proxy, played: connections to the address of a Service are handed to a ready endpoint. The API server does not
 * need it for webhooks (`--enable-aggregator-routing`); pods and clients do.
 */

interface Listed<Item> {
  readonly items: readonly Item[];
}

const hasAddress = ({ spec }: Service): boolean => spec.clusterIP !== undefined && spec.clusterIP !== 'None';

/** The names that a cluster's DNS gives its Services: `NAME.NAMESPACE.svc`. */
export const serviceNames = async (api: Api): Promise<Readonly<Record<string, string>>> => {
  const { items } = await api.get<Listed<Service>>('/api/v1/services');
  return Object.fromEntries(
    items
      .filter(hasAddress)
      .map(({ metadata, spec }) => [`${metadata.name}.${metadata.namespace}.svc`, spec.clusterIP ?? '']),
  );
};

/** Where a connection to this port may go now. */
const targetsOf = async (api: Api, { metadata }: Service, port: string | undefined) => {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${metadata.namespace}/endpointslices`;
  const selector = encodeURIComponent(`kubernetes.io/service-name=${metadata.name}`);
  const { items } = await api.get<Listed<EndpointSlice>>(`${path}?labelSelector=${selector}`);
  return items.flatMap(({ endpoints, ports = [] }) => {
    const found = ports.find(({ name = '' }) => name === (port ?? ''))?.port;
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return found === undefined
      ? []
      : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: found })));
  });
};

const join = (one: Socket, other: Socket): void => {
  one.pipe(other);
  other.pipe(one);
  one.once('error', () => other.destroy());
  other.once('error', () => one.destroy());
};

export interface ServiceProxy {
  stop(): Promise<void>;
}

/** Plays it for one Service that is there. */
export const proxyService = async (api: Api, namespace: string, name: string): Promise<ServiceProxy> => {
  const service = await api.get<Service>(`/api/v1/namespaces/${namespace}/services/${name}`);
  const { clusterIP: address = '', ports = [] } = service.spec;
  const device = [`${address}/32`, 'dev', 'pods'];
  await mustRun('ip', ['address', 'add', ...device]);
  const listen = ({ name: port, port: number }: { readonly name?: string; readonly port: number }) =>
    new Promise<Server>((resolve, reject) => {
      const hand = async (client: Socket): Promise<void> => {
        const targets = await targetsOf(api, service, port);
        const target = targets[Math.floor(Math.random() * targets.length)];
        if (target === undefined) client.destroy();
        else join(client, open(target));
      };
      const server = createServer((client) => void hand(client).catch(() => client.destroy()));
      server.once('error', reject);
      server.listen(number, address, () => resolve(server));
    });
  const servers = await Promise.all(ports.map(listen));
  return {
    async stop() {
      for (const server of servers) server.close();
      await runProgram('ip', ['address', 'delete', ...device]);
    },
  };
};
