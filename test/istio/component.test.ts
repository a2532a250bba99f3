import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/index.ts';
import { genericContainerNames, istioContainerNames, placeholderImage } from '../../src/istio/index.ts';
import { builtIn } from './summarise-class.ts';

const parsed = parseImageReference('docker.io/istio/pilot');
const found = parsed.ok ? builtIn.classify(parsed.reference) : undefined;
const componentOf = (signed: string): string | undefined =>
  found?.kind === 'istio' ? found.componentOf(signed) : 'no class';

const DIGEST = `sha256:${'e6693c20'.repeat(8)}`;

describe('the component that a signed docker-reference names', () => {
  it.each([
    ['', undefined],
    ['/', undefined],
    ['@', undefined],
    ['index.docker.io/istio/', undefined],
    ['index.docker.io/istio/PROXYV2', undefined],
    ['index.docker.io/istio/proxyv2 ', undefined],
    ['index.docker.io/istio/proxyv2-debug', undefined],
    ['index.docker.io/istio/mesh-a', undefined],
    ['index.docker.io/istio/examples-bookinfo-details-v1', undefined],
    ['index.docker.io/proxyv2/mesh', undefined],
    ['localhost:5000', undefined],
    ['registry:5000/constructor', undefined],
    ['x/__proto__', undefined],
    [`x@${DIGEST}/proxyv2`, undefined],
    ['index.docker.io/istio/proxyv2', 'proxyv2'],
    ['gcr.io/istio-release/pilot', 'pilot'],
    ['localhost:5000/istio/ztunnel', 'ztunnel'],
    ['[::1]:5000/istio/install-cni:1.28.0', 'install-cni'],
    [`registry.corp.example/istio/proxyv2:1.28.0@${DIGEST}`, 'proxyv2'],
    [`registry.corp.example/istio/operator@${DIGEST}`, 'operator'],
    ['istio/app_sidecar_ubuntu_jammy', 'app_sidecar_ubuntu_jammy'],
    ['istio/citadel', 'citadel'],
    ['proxyv2', 'proxyv2'],
  ])('%j: %s', (signed, component) => {
    expect(componentOf(signed)).toBe(component);
  });

  it('is found or not, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['string', 'undefined']).toContain(typeof componentOf(text));
      }),
    );
  });
});

describe("what Istio's charts write", () => {
  it('is known: the names of its containers, and the placeholder for an image', () => {
    expect([[...istioContainerNames], [...genericContainerNames], placeholderImage]).toEqual([
      ['istio-proxy', 'istio-init', 'istio-validation'],
      ['discovery'],
      'auto',
    ]);
  });
});
