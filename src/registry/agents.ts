import { getCACertificates } from 'node:tls';
import { Agent } from 'undici';
import { isAddressLiteral } from './address-class.ts';
import { type AddressRule, checkAddresses, createCheckedLookup, type LookUp } from './addresses.ts';

/** Who named a host: the registry itself · the configuration · only an answer of the registry. */
export type Reach = 'registry' | 'named' | 'elsewhere';

export interface Agents {
  /** The agent for a URL. Throws `AddressForbidden` where its host is an address that is not followed. */
  agentFor(reach: Reach, url: URL): Agent;
  close(): Promise<void>;
}

/**
 * The connection pools of one registry, by who named the host. Addresses are checked when a socket is opened: a host that
 * only an answer names may be at a private address only if the registry itself is (server-side request forgery).
 */
export const createAgents = (options: {
  readonly ca: string | undefined;
  readonly requestTimeout: number;
  readonly lookUp?: LookUp | undefined;
}): Agents => {
  const { ca, requestTimeout, lookUp } = options;
  let registryIsPrivate = false;
  const rules: Readonly<Record<Reach, AddressRule>> = {
    registry: (classes) => {
      registryIsPrivate = classes.every((found) => found === 'private');
      return true;
    },
    named: () => true,
    elsewhere: (classes) => registryIsPrivate || classes.every((found) => found === 'public'),
  };
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const create = (reach: Reach): Agent =>
    new Agent({
      allowH2: false,
      // One signal ends a request, whatever it waits for; these clocks would end it for another reason.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 15_000,
      connect: { ...trusted, timeout: requestTimeout, lookup: createCheckedLookup(rules[reach], lookUp) },
    });
  const agents: Readonly<Record<Reach, Agent>> = {
    registry: create('registry'),
    named: create('named'),
    elsewhere: create('elsewhere'),
  };
  return {
    agentFor(reach, { hostname }) {
      // A socket to an address looks no name up, so the address is checked here.
      if (isAddressLiteral(hostname)) checkAddresses(hostname, [hostname], rules[reach]);
      return agents[reach];
    },
    close: async () => void (await Promise.all(Object.values(agents).map((agent) => agent.destroy()))),
  };
};
