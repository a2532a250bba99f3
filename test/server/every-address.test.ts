import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { bindable } from '../../src/server/every-address.ts';
import { allowAll, createTestServer } from './review-server.ts';

const without = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

const hasIpv6 = Object.values(networkInterfaces()).some((addresses = []) =>
  addresses.some(({ family }) => family === 'IPv6'),
);
const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

describe('the addresses that the webhook listens on', () => {
  it.each(['192.0.2.1', '2001:db8::1'])('are never others than the configured one: %s', async (host) => {
    const { server } = await createTestServer(allowAll, {}, { listen: { host, port: 0 } });
    await expect(server.start()).rejects.toThrow(/^cannot listen on .*(?:EADDRNOTAVAIL|EAFNOSUPPORT)/);
  });

  it.each(['0.0.0.0', '::', '::1'])('stay as they are configured, even without IPv6: %s', async (host) => {
    expect(await bindable({ host, port: 1 }, without('EAFNOSUPPORT'))).toEqual({ host, port: 1 });
  });

  it('are reported if they cannot be opened for another reason than IPv6', async () => {
    await expect(bindable({ host: '', port: 1 }, without('EMFILE'))).rejects.toThrow('EMFILE');
  });

  it.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])(
    'are those of IPv4 where the node has no IPv6: %s',
    async (code) => {
      expect(await bindable({ host: '', port: 1 }, without(code))).toEqual({ host: '0.0.0.0', port: 1 });
    },
  );

  it('are all, of IPv6 and of IPv4, if none is configured', async () => {
    const everywhere = { host: '', port: 0 };
    const { server } = await createTestServer(allowAll, {}, { listen: everywhere, probes: everywhere });
    const { listen, probes } = await server.start();
    const wildcard = hasIpv6 ? '::' : '0.0.0.0';
    expect([listen.host, probes.host]).toEqual([wildcard, wildcard]);
    const hosts = ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])];
    const statuses = await Promise.all(hosts.map((host) => statusOf(`http://${host}:${probes.port}/livez`)));
    expect(statuses).toEqual(hosts.map(() => 200));
  });
});
