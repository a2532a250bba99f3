import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';
import { summariseClass } from './summarise-class.ts';

/**
 * Every image in the output of Istio's own injector, gateway controller and charts (`test/fixtures/istio`), with its
 * class. Names that are on no hub and not distinctive are not ours, whatever the pod.
 */
const EXPECTED: Readonly<Record<string, string>> = {
  // Nightly builds: the testing hub, by its redirector.
  'registry.istio.io/testing/proxyv2:latest': 'gcr.io/istio-testing, proxyv2, never signed',
  'registry.istio.io/testing/pilot:latest': 'gcr.io/istio-testing, pilot, never signed',
  'registry.istio.io/testing/install-cni:latest': 'gcr.io/istio-testing, install-cni, never signed',
  'registry.istio.io/testing/ztunnel:latest': 'gcr.io/istio-testing, ztunnel, never signed',
  'registry.istio.io/testing/ztunnel:latest-distroless': 'gcr.io/istio-testing, ztunnel, never signed',
  // No component, but judged, because it is directly below a hub.
  'registry.istio.io/testing/mynewproxy:latest': 'gcr.io/istio-testing, no component, never signed',
  'registry.istio.io/release/proxy2_debug:unittest': 'docker.io/istio, no component',
  // The release hub, by its redirector.
  'registry.istio.io/release/pilot:1.1.4': 'docker.io/istio, pilot, never signed',
  'registry.istio.io/release/examples-bookinfo-details-v1:1.20.3': 'not ours',
  'registry.istio.io/release/examples-bookinfo-productpage-v1:1.20.3': 'not ours',
  'registry.istio.io/release/examples-bookinfo-ratings-v1:1.20.3': 'not ours',
  'registry.istio.io/release/examples-bookinfo-reviews-v1:1.20.3': 'not ours',
  'registry.istio.io/release/examples-bookinfo-reviews-v2:1.20.3': 'not ours',
  'registry.istio.io/release/examples-bookinfo-reviews-v3:1.20.3': 'not ours',
  // Istio's names in other places.
  'test/proxyv2:test': 'look-alike of proxyv2',
  'test/proxyv2:test-distroless': 'look-alike of proxyv2',
  'test/agentgateway:test': 'not ours',
  // Invalid references: capitals in a path, no host before the slash.
  'registry.istio.io/testing/proxyTest:latest': "no reference, could be Istio's",
  'registry.istio.io/testing/proxyInitTest:latest': "no reference, could be Istio's",
  '/proxyv2:': "no reference, could be Istio's",
  '/agentgateway:': 'no reference, not ours',
  // The injector's placeholder, which the policy recognises by its text.
  auto: 'not ours',
  // Workloads.
  'additional-image:latest': 'not ours',
  alpine: 'not ours',
  busybox: 'not ours',
  'busybox:1.28': 'not ours',
  'fake.docker.io/google-samples/hello-frontend:1.0': 'not ours',
  'fake.docker.io/google-samples/hello-go-gke:1.0': 'not ours',
  'fake.docker.io/google-samples/traffic-go-gke:1.0': 'not ours',
  'fake/custom-image': 'not ours',
  'foo/bar': 'not ours',
  image: 'not ours',
  'init-image:latest': 'not ours',
  'kennethreitz/httpbin': 'not ours',
  nginx: 'not ours',
  perl: 'not ours',
};

const imagesIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'image' && typeof below === 'string' ? [below] : imagesIn(below),
  );
};

const documents = readdirSync(fixturePath('istio'), { recursive: true, withFileTypes: true })
  .filter(({ name }) => /\.(yaml|injected)$|^pods\.json$/.test(name))
  .map(({ parentPath, name }) => loadAll(readFileSync(join(parentPath, name), 'utf8')));
const images = new Set(imagesIn(documents));

describe("every image in Istio's own pods, goldens and charts", () => {
  it('has a row in the table, and every row an image', () => {
    expect([...images].toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it('was looked for in all the files', () => {
    expect([documents.length, images.size]).toEqual([316, 36]);
  });

  it.each(Object.entries(EXPECTED))('%s: %s', (image, expected) => {
    expect(summariseClass(image)).toBe(expected);
  });
});

const namesIn = (value: unknown): string[] => {
  if (typeof value === 'string') return value.replaceAll(/\([^)]*\)/g, ' ').match(/[a-z][\w*-]+/g) ?? [];
  return Object.values(value as object).flatMap(namesIn);
};

describe("every image name of Istio's releases", () => {
  const names = new Set(
    namesIn(JSON.parse(readFileSync(fixturePath('istio', 'image-names.json'), 'utf8'))).map((name) =>
      name.replace('*', 'ubuntu_jammy'),
    ),
  );

  it.each([...names])('%s is a known component on the hub, or one of the base images', (name) => {
    const isBase = ['base', 'distroless', 'kubectl'].includes(name);
    expect(summariseClass(`istio/${name}:1.28.0`)).toBe(isBase ? 'not ours' : `docker.io/istio, ${name}`);
  });
});
