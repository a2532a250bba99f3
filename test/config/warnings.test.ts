import { describe, expect, it } from 'vitest';
import { endingExemptions, warningsOf } from '../../src/config/index.ts';
import { parse } from './parse.ts';

const exemption = (expires: string): string =>
  `{images: [docker.io/istio/pilot], namespaces: [a], reason: r, owner: mesh, expires: ${expires}}`;
const KEY = 'keys: [{file: a}]\n';
const at = (text: string): number => Date.parse(text);

describe('warnings of a configuration', () => {
  it('are none where there is nothing to say', async () => {
    const config = await parse(`${KEY}exemptions: [${exemption('2027-03-01')}]`);
    expect(warningsOf(config, at('2027-02-15T23:59:59Z'))).toEqual([]);
  });

  it('announce the end of an exemption 14 days before, and say when it is over', async () => {
    const config = await parse(`${KEY}exemptions: [${exemption('2028-01-01')}, ${exemption('2027-03-01')}]`);
    const [path, message] = ['exemptions[1]', 'ends after 2027-03-01 (UTC)'];
    expect(warningsOf(config, at('2027-02-16T00:00:00Z'))).toEqual([
      { path, message: `${message}, within 14 days (owner: mesh)` },
    ]);
    expect(warningsOf(config, at('2027-03-01T23:59:59Z'))).toEqual([
      { path, message: `${message}, within 1 day (owner: mesh)` },
    ]);
    expect(warningsOf(config, at('2027-03-02T00:00:00Z'))).toEqual([
      { path, message: 'ended after 2027-03-01 (UTC) and has no effect any more: remove it' },
    ]);
    expect(endingExemptions(config, at('2027-03-02T00:00:00Z'))).toEqual([
      {
        index: 1,
        exemption: config.rules.exemptions[1],
        endsAt: at('2027-03-02T00:00:00Z'),
        ended: true,
      },
    ]);
  });

  it('name keys without a pin, credentials in clear, and outages that let anything start', async () => {
    const text = `
registries: [{host: a.example, plainHTTP: true, credentials: {dockerConfig: /d}}, {host: b.example, plainHTTP: true}]
undetermined: {enforce: allow, critical: deny}`;
    expect(warningsOf(await parse(text, { '/d': '{}' }), 0)).toEqual([
      {
        path: 'keys',
        message:
          'has https://istio.io/misc/istio-key-v2.pub without a pin: the key that it serves when this process starts is trusted',
      },
      { path: 'registries[0]', message: 'sends its credentials over plain HTTP' },
      {
        path: 'undetermined.enforce',
        message: 'lets images that were never verified start while their registry is down',
      },
    ]);
  });
});
