import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { imageIndex, push } from '../../support/signing-kit.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { podsIn, untilCalled } from './observations.ts';

/*
 * A tenant who may create pods in one namespace, on a real API server: short timeouts, a repository that fails, and
 * tags that do not exist. None of it is an outage for anybody.
 */

const SHOP = 'shop';
const EVIL = 'evil';
const HUB = 'docker.io/istio';
/** Requests that the registry answers before it limits the rate of its client's address. */
const REGISTRY_LIMIT = 300;
const ABSENT_TAGS = 64;

/** A release as it is installed, and one without what pinning adds, which lets images start in an outage. */
const RELEASES = [
  { name: 'pins tags', values: {} },
  {
    name: 'pins nothing, and allows in an outage',
    values: { pin: 'never', config: { undetermined: { enforce: 'allow' } } },
  },
];

describe('a tenant of a cluster', () => {
  let cluster: Cluster;
  let moved: string;
  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of [SHOP, EVIL]) await cluster.createNamespace(namespace);
  });
  afterAll(() => cluster?.stop());

  let made = 0;
  const tryPod = (namespace: string, images: readonly string[], query = ''): Promise<ApiResponse> => {
    made += 1;
    return cluster.api.tryCreate(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `pod-${made}`, namespace },
        spec: { containers: images.map((image, place) => ({ name: `c${place}`, image })) },
      },
      query,
    );
  };
  const statusOf = async (namespace: string, image: string): Promise<number> =>
    (await tryPod(namespace, [image])).status;
  /**
   * Tries to create a pod within a second, as a client with `?timeout=1s` does, and resolves with the status. The API
   * server gives each webhook that second, and itself no more: 504, or no response at all, means that it gave up.
   */
  const statusWithinASecond = async (image: string): Promise<number | 'gave up'> => {
    try {
      const { status } = await tryPod(EVIL, [image], '?timeout=1s');
      return status === 504 ? 'gave up' : status;
    } catch {
      return 'gave up';
    }
  };
  const podsOfTheTenant = async (): Promise<readonly string[]> =>
    (await podsIn(cluster, EVIL)).map(({ metadata }) => metadata.name);
  const NOT_CREATED = [403, 'gave up'];
  /** Publishes a signed image under a new tag, runs it, and moves the tag to an unsigned image. */
  const moveTag = async (): Promise<string> => {
    made += 1;
    const tag = `1.24.${made}`;
    const image = cluster.publish('proxyv2', tag);
    expect(await statusOf(SHOP, image)).toBe(201);
    push(cluster.registry, 'istio/proxyv2', imageIndex(`unsigned ${tag}`), tag);
    return image;
  };
  /** Publishes an image that nobody has used yet. Resolves with its reference by digest. */
  const publishUnseen = (signed = true): string => {
    made += 1;
    const seed = `unseen ${made}`;
    cluster.publish('proxyv2', `1.25.${made}`, { seed, signed });
    return `${HUB}/proxyv2@${imageIndex(seed).digest}`;
  };
  describe.each(RELEASES)('whose release $name, who', ({ values }) => {
    beforeAll(async () => {
      // One replica: what it learns of a tag does not depend on which one the API server calls.
      const common = { mode: 'enforce', replicas: 1, config: { tagMemory: '0s' } };
      await cluster.upgrade(
        { ...common, ...values, config: { ...common.config, ...values.config } },
        '--install',
      );
      await untilCalled(cluster, await cluster.kubelet.untilReady(1));
    });
    beforeEach(async () => {
      cluster.registry.fault = undefined;
      cluster.registry.latency = 0;
      moved = await moveTag();
    });

    it('gives the API server a second while the registry takes 700 ms gets no pod of a moved tag, nor of an unsigned digest', async () => {
      cluster.registry.latency = 700;
      expect(NOT_CREATED).toContain(await statusWithinASecond(moved));
      expect(NOT_CREATED).toContain(await statusWithinASecond(publishUnseen(false)));
      expect(await statusOf(EVIL, moved)).toBe(403);
      expect(await podsOfTheTenant()).toEqual([]);
    });

    it('has one repository that answers 502 changes nothing for the others', async () => {
      cluster.registry.fault = ({ url }, response) => {
        if (url?.startsWith('/v2/istio/broken/') !== true) return false;
        response.writeHead(502).end();
        return true;
      };
      const broken = Array.from({ length: 8 }, (_, place) => `${HUB}/broken:${place}`);
      for (let round = 0; round < 5; round += 1) {
        const hostile = Array.from({ length: 4 }, () => tryPod(EVIL, broken));
        const seen = await Promise.all([statusOf(SHOP, moved), statusOf(SHOP, publishUnseen())]);
        await Promise.all(hostile);
        const after = await Promise.all([statusOf(SHOP, moved), statusOf(SHOP, publishUnseen())]);
        expect([seen, after]).toEqual([
          [403, 201],
          [403, 201],
        ]);
      }
    });

    it('asks for absent tags never reaches the registry’s limit of its clients, and changes nothing for others', async () => {
      let requests = 0;
      let limited = 0;
      cluster.registry.fault = (_, response) => {
        requests += 1;
        if (requests <= REGISTRY_LIMIT) return false;
        limited += 1;
        response.writeHead(429, { 'retry-after': '60' }).end();
        return true;
      };
      for (let round = 0; round < 8; round += 1) {
        const absent = Array.from(
          { length: ABSENT_TAGS },
          (_, place) => `${HUB}/proxyv2:none-${round}-${place}`,
        );
        expect((await tryPod(EVIL, absent)).status).toBe(403);
      }
      expect([await statusOf(SHOP, moved), await statusOf(SHOP, publishUnseen())]).toEqual([403, 201]);
      expect(limited).toBe(0);
    });
  });
});
