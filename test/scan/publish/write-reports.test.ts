import { describe, expect, it } from 'vitest';
import { writeReports } from '../../../src/scan/publish/write-reports.ts';
import { refuse } from '../../support/cluster-server.ts';
import { exampleScan } from '../../support/example-scan.ts';
import {
  installGroup,
  metadataOf,
  NOW,
  ownerNamed,
  reportPath,
  startPublishing,
  wholeScan,
  writesOf,
} from './publish-kit.ts';

const CART = 'sailmark-5f0c6f1e-0000-4000-8000-000000000001';
const CART_PATH = reportPath('openreports.io', 'shop', CART);
const LABELS = { 'app.kubernetes.io/managed-by': 'sailmark' };
const ownedBy = (uid: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid }],
});

describe('reports of a scan', () => {
  it('are not written where no API group of reports is, and that is said', async () => {
    const { server, dependencies } = await startPublishing();
    expect(await writeReports(wholeScan(), dependencies)).toEqual({
      failed: false,
      done: [],
      problems: [
        'the cluster has neither openreports.io/v1alpha1 Report nor wgpolicyk8s.io/v1alpha2 PolicyReport: install one of them to have reports',
      ],
    });
    expect(writesOf(server)).toEqual([]);
  });

  it('are not written in a version that sailmark does not write, and that is said', async () => {
    const { server, dependencies } = await startPublishing();
    installGroup(server, 'openreports.io', 'v1');
    const { done, problems } = await writeReports(wholeScan(), dependencies);
    expect(done).toEqual([]);
    expect(problems[0]).toBe(
      'openreports.io is installed, but not in the version v1alpha1 that sailmark writes: no reports are written there',
    );
    expect(writesOf(server)).toEqual([]);
  });

  it('of the older group stand in for those of a newer one that sailmark does not write', async () => {
    const { server, dependencies } = await startPublishing('wgpolicyk8s.io');
    installGroup(server, 'openreports.io', 'v1');
    const { done } = await writeReports(wholeScan(), dependencies);
    expect(done).toEqual(['wgpolicyk8s.io reports: 4 written, 0 deleted, 0 unchanged']);
  });

  it('need a permission to be listed, which is named', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    server.fault = (request, response) =>
      request.path.endsWith('/reports') && refuse(403, 'no')(request, response);
    expect(await writeReports(wholeScan(), dependencies)).toEqual({
      failed: true,
      done: [],
      problems: [
        'no reports: GET reports: the API server forbids it; it requires a ClusterRole with the rule {apiGroups: ["openreports.io"], resources: ["reports"], verbs: ["list"]} (no)',
      ],
    });
  });

  it('of other namespaces are written where one refuses them', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    server.fault = (request, response) =>
      request.method === 'POST' &&
      request.path.includes('/namespaces/shop/') &&
      refuse(403, 'no')(request, response);
    const owners = ['a', 'b', 'c'].map((name) => ownerNamed(name));
    const result = wholeScan({ owners: [...owners, ownerNamed('d', { namespace: 'other' })] });
    const { done, problems } = await writeReports(result, dependencies);
    expect(done).toEqual(['openreports.io reports: 1 written, 0 deleted, 0 unchanged']);
    expect(problems.join('\n')).toMatch(/POST reports shop: the API server forbids it/);
  });

  it('of a namespace that is being deleted are not missed', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const message = 'unable to create new content in namespace shop because it is being terminated';
    server.fault = (request, response) =>
      request.method === 'POST' &&
      request.path.includes('/namespaces/shop/') &&
      refuse(403, message)(request, response);
    expect(await writeReports(wholeScan(), dependencies)).toEqual({
      failed: false,
      done: ['openreports.io reports: 3 written, 0 deleted, 0 unchanged'],
      problems: [],
    });
  });

  it('are no longer tried once ten writes in a row have failed', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    server.fault = (request, response) =>
      request.method === 'POST' && refuse(422, 'not in this schema')(request, response);
    const owners = Array.from({ length: 200 }, (_, index) => ownerNamed(`o${index}`));
    const { problems } = await writeReports(wholeScan({ owners }), dependencies);
    expect(writesOf(server).length).toBeLessThan(20);
    expect(problems.at(-1)).toMatch(/^1[89]\d reports not written after these failures$/);
  });

  it('of others are left alone: without our label, or with it under another name', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const stranger = { metadata: { labels: { team: 'a' } }, results: [] };
    server.put(CART_PATH, stranger);
    const alike = reportPath('openreports.io', 'shop', 'their-own');
    server.put(alike, { metadata: { labels: LABELS, ...ownedBy('1') } });
    const unowned = reportPath('openreports.io', 'shop', 'sailmark-2');
    server.put(unowned, { metadata: { labels: LABELS } });
    const before = [CART_PATH, alike, unowned].map((path) => server.get(path));
    const { problems } = await writeReports(wholeScan(), dependencies);
    expect([CART_PATH, alike, unowned].map((path) => server.get(path))).toEqual(before);
    expect(problems).toEqual(['1 report of others have the name of ours and stay as they are']);
  });

  it('of clean owners stay if the scan did not see everything, or was interrupted', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    await writeReports(wholeScan(), dependencies);
    for (const result of [
      exampleScan({ owners: [] }),
      wholeScan({ owners: [], complete: false }),
      wholeScan({ owners: [], coverage: { resources: [], notSeen: [], cut: ['too many'] } }),
    ]) {
      server.clearRequests();
      const { problems } = await writeReports(result, dependencies);
      expect(writesOf(server)).toEqual([]);
      expect(problems).toEqual(['4 reports may be stale and stay: the scan did not see everything']);
    }
  });

  it('that others change at the same time are written by the next scan', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    await writeReports(wholeScan(), dependencies);
    const change = () => server.put(CART_PATH, { ...server.get(CART_PATH), summary: { fail: 9 } });
    change();
    server.fault = (request) => {
      if (request.method === 'PUT') change();
      return false;
    };
    const first = await writeReports(wholeScan(), dependencies);
    expect(first.problems).toEqual(['1 report changed by another client: the next scan writes them']);
    server.fault = undefined;
    const second = await writeReports(wholeScan(), dependencies);
    expect(second).toEqual({
      failed: false,
      done: ['openreports.io reports: 1 written, 0 deleted, 3 unchanged'],
      problems: [],
    });
  });

  it('that another one took the place of are not deleted', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    await writeReports(wholeScan(), dependencies);
    server.fault = (request) => {
      if (request.method === 'DELETE' && request.path === CART_PATH) {
        server.delete(CART_PATH);
        server.put(CART_PATH, { metadata: { labels: { team: 'a' } } });
      }
      return false;
    };
    const { done, problems } = await writeReports(wholeScan({ owners: [] }), dependencies);
    expect(done).toEqual(['openreports.io reports: 0 written, 3 deleted, 0 unchanged']);
    expect(problems).toEqual(['1 report changed by another client: the next scan writes them']);
    expect(metadataOf(server.get(CART_PATH))).toMatchObject({ labels: { team: 'a' } });
  });

  it('are at most so many, the most serious first, and each namespace has its turn', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const many = Array.from({ length: 50 }, (_, index) => ownerNamed(`o${index}`, { namespace: 'crowd' }));
    const owners = [
      ...many,
      ownerNamed('mine', { namespace: 'quiet' }),
      ownerNamed('warned', { namespace: 'quiet', status: 'reported' }),
    ];
    const { done, problems } = await writeReports(wholeScan({ owners }), dependencies, { maxReports: 10 });
    expect(done).toEqual(['openreports.io reports: 10 written, 0 deleted, 0 unchanged']);
    expect(problems).toEqual(['42 reports left out, the least serious ones: there are at most 10']);
    expect(server.get(reportPath('openreports.io', 'quiet', 'sailmark-uid-of-mine'))).toBeDefined();
    expect(server.get(reportPath('openreports.io', 'quiet', 'sailmark-uid-of-warned'))).toBeUndefined();
  });

  it('stop being read where somebody labels thousands as ours, and then none is deleted', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    for (let index = 0; index < 30; index += 1)
      server.put(reportPath('openreports.io', 'crowd', `sailmark-${index}`), {
        metadata: { labels: LABELS, ...ownedBy(String(index)) },
      });
    const { problems } = await writeReports(wholeScan({ owners: [] }), dependencies, { maxRead: 20 });
    expect(writesOf(server)).toEqual([]);
    expect(problems).toEqual([
      'more than 20 reports have our label: none was deleted, and the rest not read',
    ]);
  });

  it('hold at most 50 findings, in bounded texts of one line', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const hostile = `docker.io/istio/proxyv2:\u001b[31m\n${'x'.repeat(2_000)}`;
    const finding = { ...ownerNamed('x').findings[0], image: hostile } as (typeof owner.findings)[number];
    const owner = ownerNamed('big', {
      uid: 'Not a name/..',
      message: hostile,
      findings: Array.from({ length: 5_000 }, (_, index) => ({ ...finding, image: `${index}${hostile}` })),
    });
    await writeReports(wholeScan({ owners: [owner] }), dependencies);
    const [post] = server.requests.filter(({ method }) => method === 'POST');
    const body = post?.body as { readonly metadata: { readonly name: string }; readonly results: unknown[] };
    expect(body.metadata.name).toMatch(/^sailmark-[0-9a-f]{64}$/);
    expect(body.results).toHaveLength(50);
    const text = JSON.stringify(body);
    expect(text.length).toBeLessThan(200_000);
    expect(text).not.toMatch(/\\u001b|\\n/);
  });

  it('of an owner without a UID are left out, because nothing would ever delete them', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const owners = [ownerNamed('a', { uid: null }), ownerNamed('b', { uid: '' })];
    const { problems } = await writeReports(wholeScan({ owners }), dependencies);
    expect(writesOf(server)).toEqual([]);
    expect(problems).toEqual(['2 owners without a UID got no report: nothing would delete it']);
  });

  it('stand for the more serious owner where two claim one UID in one namespace', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const owners = [ownerNamed('real', { uid: 'u' }), ownerNamed('claims', { uid: 'u', status: 'reported' })];
    await writeReports(wholeScan({ owners }), dependencies);
    expect(server.get(reportPath('openreports.io', 'shop', 'sailmark-u'))).toMatchObject({
      scope: { name: 'real' },
    });
  });

  it.each(['openreports.io', 'wgpolicyk8s.io'] as const)(
    'say in %s what was found of an owner',
    async (group) => {
      const { server, dependencies } = await startPublishing(group);
      const { done, problems } = await writeReports(wholeScan(), dependencies);
      expect({ done, problems }).toEqual({
        done: [`${group} reports: 4 written, 0 deleted, 0 unchanged`],
        problems: [],
      });
      const owner = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'cart',
        uid: '5f0c6f1e-0000-4000-8000-000000000001',
      };
      const [image] = exampleScan().images;
      expect(server.get(reportPath(group, 'shop', CART))).toEqual({
        apiVersion: group === 'openreports.io' ? 'openreports.io/v1alpha1' : 'wgpolicyk8s.io/v1alpha2',
        kind: group === 'openreports.io' ? 'Report' : 'PolicyReport',
        metadata: {
          name: CART,
          namespace: 'shop',
          labels: LABELS,
          ownerReferences: [owner],
          uid: expect.any(String) as string,
          resourceVersion: expect.any(String) as string,
        },
        source: 'sailmark',
        scope: { ...owner, namespace: 'shop' },
        summary: { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 },
        results: [
          {
            source: 'sailmark',
            policy: 'istio-images-are-signed',
            category: 'Software Supply Chain Security',
            rule: 'image-look-alike',
            severity: 'high',
            result: 'fail',
            scored: true,
            message: image?.message,
            properties: {
              image: 'registry.corp.example/istio/proxyv2:1.28.1',
              path: 'spec.initContainers[1].image',
              effect: 'deny',
            },
            timestamp: { seconds: NOW / 1000, nanos: 0 },
          },
        ],
      });
    },
  );

  it('prefer the successor where both groups are installed', async () => {
    const { dependencies } = await startPublishing('openreports.io', 'wgpolicyk8s.io');
    const { done } = await writeReports(wholeScan(), dependencies);
    expect(done).toEqual(['openreports.io reports: 4 written, 0 deleted, 0 unchanged']);
  });

  it('go from the older group once the newer one is installed', async () => {
    const { server, dependencies } = await startPublishing('wgpolicyk8s.io');
    await writeReports(wholeScan(), dependencies);
    installGroup(server, 'openreports.io');
    expect(await writeReports(wholeScan(), dependencies)).toEqual({
      failed: false,
      done: [
        'openreports.io reports: 4 written, 0 deleted, 0 unchanged',
        'wgpolicyk8s.io reports: 0 written, 4 deleted, 0 unchanged',
      ],
      problems: [],
    });
  });

  it('name an image once, whether its template or a pod names it, in an order of their own', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const finding = {
      image: 'a',
      path: 'spec.containers[0].image',
      code: 'signature-missing',
      effect: 'deny',
    } as const;
    const template = { ...finding, path: 'spec.template.spec.containers[0].image' };
    const findings = [
      template,
      { ...finding, image: 'b' },
      finding,
      { ...finding, code: 'image-revoked' as const },
    ];
    await writeReports(wholeScan({ owners: [ownerNamed('x', { findings })] }), dependencies);
    const path = reportPath('openreports.io', 'shop', 'sailmark-uid-of-x');
    expect(server.get(path)).toMatchObject({
      summary: { fail: 3 },
      results: [
        { rule: 'image-revoked', severity: 'critical', properties: { image: 'a' } },
        { rule: 'signature-missing', properties: { image: 'a', path: finding.path } },
        { rule: 'signature-missing', properties: { image: 'b' } },
      ],
    });
    server.clearRequests();
    await writeReports(
      wholeScan({ owners: [ownerNamed('x', { findings: findings.toReversed() })] }),
      dependencies,
    );
    expect(writesOf(server)).toEqual([]);
  });

  it('call undetermined an error, an exemption a skip, and what only warns a warning', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    const [finding] = ownerNamed('x').findings;
    const owners = [
      ...exampleScan().owners.slice(2),
      ownerNamed('audited', {
        status: 'reported',
        findings: finding === undefined ? [] : [{ ...finding, effect: 'audit' }],
      }),
    ];
    await writeReports(wholeScan({ owners }), dependencies);
    const results = server.requests
      .filter(({ method }) => method === 'POST')
      .flatMap(({ body }) => (body as { readonly results: readonly { readonly result: string }[] }).results);
    expect(results.map(({ result }) => result).toSorted()).toEqual(['error', 'skip', 'warn']);
  });

  it('are written on change only, whatever the time', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    await writeReports(wholeScan(), dependencies);
    server.clearRequests();
    const later = { ...dependencies, now: () => NOW + 3_600_000 };
    const { done } = await writeReports(wholeScan(), later);
    expect(done).toEqual(['openreports.io reports: 0 written, 0 deleted, 4 unchanged']);
    expect(writesOf(server)).toEqual([]);
  });

  it('change with their owner, keep what others added to them, and go once it is clean', async () => {
    const { server, dependencies } = await startPublishing('openreports.io');
    await writeReports(wholeScan(), dependencies);
    const before = server.get(CART_PATH);
    server.put(CART_PATH, {
      ...before,
      metadata: { ...metadataOf(before), labels: { ...LABELS, team: 'shop' }, annotations: { note: 'seen' } },
    });
    server.clearRequests();
    const [cart, ...others] = exampleScan().owners;
    const changed = {
      ...ownerNamed('cart'),
      ...cart,
      findings: [{ ...ownerNamed('x').findings[0], effect: 'warn' }],
    };
    await writeReports(wholeScan({ owners: [changed as (typeof others)[number], ...others] }), dependencies);
    expect(writesOf(server)).toEqual([`PUT ${CART_PATH}`]);
    expect(metadataOf(server.get(CART_PATH))).toMatchObject({
      labels: { ...LABELS, team: 'shop' },
      annotations: { note: 'seen' },
    });
    server.clearRequests();
    const { done } = await writeReports(wholeScan({ owners: others }), dependencies);
    expect(done).toEqual(['openreports.io reports: 0 written, 1 deleted, 3 unchanged']);
    expect(writesOf(server)).toEqual([`DELETE ${CART_PATH}`]);
    expect(server.get(CART_PATH)).toBeUndefined();
  });
});
