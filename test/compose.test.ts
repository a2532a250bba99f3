import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Core, type CoreDependencies, compose } from '../src/compose.ts';
import { defaultConfig, parseConfig } from '../src/config/index.ts';
import { createMetrics } from '../src/observability/index.ts';
import type { KeyEvent } from '../src/verification/index.ts';
import { pod, review } from './support/builders.ts';
import { startRegistry, type TestRegistry } from './support/registry-server.ts';
import { createSigner, imageManifest, push, pushSignatures, sign } from './support/signing-kit.ts';

const NO_FILE = () => Promise.reject(new Error('no file'));
const ENFORCE = { mode: 'enforce', critical: false } as const;
const testDeadline = () => AbortSignal.timeout(10_000);

const signer = createSigner();

let registry: TestRegistry;
let cores: Core[];
let reported: unknown[];
let events: KeyEvent[];

const coreDependencies = (): CoreDependencies => ({
  report: (error) => `incident-${reported.push(error)}`,
  onKeyEvent: (event) => void events.push(event),
  now: Date.now,
});

/** Composes a core whose configuration has the registry as a mirror. It is closed after the test. */
const coreOf = async (more: object = {}, others: Partial<CoreDependencies> = {}): Promise<Core> => {
  const configuration = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: [{ inline: signer.publicPem }],
    mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
    registries: [{ host: registry.host, plainHTTP: true }],
    ...more,
  };
  const core = compose(await parseConfig(JSON.stringify(configuration), NO_FILE), {
    ...coreDependencies(),
    ...others,
  });
  cores.push(core);
  return core;
};

const pushSigned = (): { readonly image: string; readonly digest: string } => {
  const digest = push(registry, 'istio/proxyv2', imageManifest('composed'), '1.28.0');
  pushSignatures(registry, 'istio/proxyv2', digest, [sign(signer, 'docker.io/istio/proxyv2', digest)]);
  return { image: `${registry.host}/istio/proxyv2:1.28.0`, digest };
};

const reviewImage = async (core: Core, image: string) => {
  const { response: answer } = await core.reviewer.review(review(pod([image])), ENFORCE, testDeadline());
  const { allowed, status, auditAnnotations } = answer.response;
  return { allowed, reason: auditAnnotations['reason'], message: status?.message };
};

beforeEach(async () => {
  registry = await startRegistry();
  [cores, reported, events] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(cores.map((core) => core.close()));
  await registry.close();
});

describe('a core', () => {
  it('does not load keys that are none', async () => {
    const place = { kind: 'inline', name: 'keys[0]', text: 'no key' } as const;
    const core = compose({ ...defaultConfig, keys: [{ location: place }] }, coreDependencies());
    cores.push(core);
    await expect(core.load()).rejects.toThrow('keys[0]: the key ');
  });

  it('verifies nothing before its keys are loaded', async () => {
    const core = await coreOf();
    const { image } = pushSigned();
    const { verification } = await core.judge.judge(image, testDeadline());
    expect(verification?.outcome).not.toBe('verified');
  });

  it('refuses a revoked digest whoever signed it', async () => {
    const { image, digest } = pushSigned();
    const core = await coreOf({ revoked: [{ digest, reason: 'CVE-2026-0001' }] });
    await core.load();
    expect(await reviewImage(core, image)).toMatchObject({ allowed: false, reason: 'image-revoked' });
  });

  it('refuses, under the incident’s id, where something throws that must not', async () => {
    const broken = new Error('no clock');
    const now = (): number => {
      throw broken;
    };
    const core = await coreOf({}, { now });
    await core.load();
    const { allowed, reason, message } = await reviewImage(core, pushSigned().image);
    expect({ allowed, reason }).toEqual({ allowed: false, reason: 'internal-error' });
    expect(reported).toContain(broken);
    expect(message).toMatch(/incident-\d/);
  });

  it('contacts nobody before it is asked', async () => {
    const lookedUp: string[] = [];
    const core = await coreOf(
      { keys: [{ inline: signer.publicPem }, { url: 'https://keys.example/key.pub' }] },
      {
        lookUp: (name) => {
          lookedUp.push(name);
          return Promise.reject(new Error('no such name'));
        },
      },
    );
    expect({ lookedUp, requests: registry.requests }).toEqual({ lookedUp: [], requests: [] });
    await core.load();
    expect(lookedUp).toEqual(['keys.example']);
    expect(registry.requests).toEqual([]);
    expect(core.ring().missing.map(({ source }) => source)).toEqual(['https://keys.example/key.pub']);
    expect(events.map(({ code }) => code)).toEqual(['key-missing']);
  });

  it('allows a signed image, and answers the reviewer and the judge from one memory', async () => {
    const core = await coreOf();
    await core.load();
    const { image } = pushSigned();
    expect(await reviewImage(core, image)).toMatchObject({ allowed: true });
    const requestsBefore = registry.requests.length;
    expect(await core.judge.judge(image, testDeadline())).toMatchObject({
      verification: { outcome: 'verified', fromMemory: true, requests: 0 },
    });
    expect(registry.requests.length).toBe(requestsBefore);
  });

  it('counts verifications, and requests by the registries that the configuration names', async () => {
    const metrics = createMetrics({ version: '0', commit: 'none', node: 'v0' });
    const core = await coreOf({}, { metrics });
    await core.load();
    await core.judge.judge(pushSigned().image, testDeadline());
    await core.judge.judge('127.0.0.1:1/elsewhere/app:1', testDeadline(), { always: true });
    const lines = (await metrics.render()).text.split('\n');
    const labelsOf = (name: string, label: string) =>
      new Set(
        lines
          .filter((line) => line.startsWith(`${name}{`) && !line.endsWith(' 0'))
          .map((line) => new RegExp(`${label}="([^"]*)"`).exec(line)?.[1]),
      );
    expect(labelsOf('sailmark_registry_requests_total', 'registry')).toEqual(
      new Set([registry.host, 'other']),
    );
    expect(labelsOf('sailmark_verifications_total', 'outcome')).toEqual(
      new Set(['verified', 'undetermined']),
    );
    expect(labelsOf('sailmark_registry_up', 'registry')).toEqual(new Set([registry.host, 'other']));
    expect(labelsOf('sailmark_memory_entries', 'memory')).toEqual(
      new Set(['verified', 'rejected', 'verified-tag']),
    );
    expect(lines.join('\n')).not.toContain('127.0.0.1:1"');
  });
});
