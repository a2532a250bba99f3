import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/index.ts';
import { createClassifier, isComponent } from '../../src/istio/index.ts';

const { classify } = createClassifier({
  hubs: ['docker.io/istio'],
  mirrors: [
    { mirror: 'registry.corp.example/istio', of: 'docker.io/istio', components: { 'mesh-a': 'proxyv2' } },
  ],
});

const classOf = (image: string) => {
  const parsed = parseImageReference(image);
  const found = parsed.ok ? classify(parsed.reference) : undefined;
  if (found?.kind !== 'istio') throw new Error(`${image} is not Istio's`);
  return found;
};
const startedAs = (word: string, image = 'istio/pilot'): string | undefined =>
  classOf(image).componentOfStart(word);

describe('the start of an image', () => {
  it.each([
    '',
    '/',
    '/usr/local/bin/',
    'sh',
    '/bin/sh',
    '/bin/bash',
    'pilot',
    'proxyv2',
    'PILOT-DISCOVERY',
    'pilot-discovery ',
    ' pilot-discovery',
    'pilot-discovery discovery',
    'pilot-discovery\n',
    'pilot-discovery/',
    'pilot-discovery.exe',
    'C:\\usr\\local\\bin\\pilot-discovery',
    'my-pilot-discovery',
    'pilot-discovery2',
    'envoy',
    'constructor',
    '__proto__',
    '/usr/local/bin/toString',
  ])('%j is of no component', (word) => {
    expect(startedAs(word)).toBeUndefined();
  });

  it.each([
    // istio/istio pilot/docker
    ['/usr/local/bin/pilot-discovery', 'pilot'],
    ['/usr/local/bin/pilot-agent', 'proxyv2'],
    ['/usr/local/bin/ztunnel', 'ztunnel'],
    // istio/istio cni/deployments/kubernetes
    ['/usr/local/bin/install-cni', 'install-cni'],
    ['/opt/cni/bin/install-cni', 'install-cni'],
    // istio/istio istioctl/docker, operator/docker
    ['/usr/local/bin/istioctl', 'istioctl'],
    ['/usr/local/bin/operator', 'operator'],
    // agentgateway/agentgateway Dockerfile
    ['/app/agentgateway', 'agentgateway'],
    // istio/istio pkg/test/echo/docker, samples/extauthz/docker
    ['/usr/local/bin/server', 'app'],
    ['/usr/local/bin/extauthz', 'ext-authz'],
    ['/usr/local/bin/echo-start.sh', 'app_sidecar'],
    ['pilot-discovery', 'pilot'],
  ])('%s is of %s, whichever image is asked for', (word, component) => {
    expect(startedAs(word)).toBe(component);
    expect(startedAs(word, 'registry.corp.example/istio/mesh-a')).toBe(component);
    expect(isComponent(component)).toBe(true);
  });

  it('of the test app with a sidecar is of the distribution asked for', () => {
    const word = '/usr/local/bin/echo-start.sh';
    expect(startedAs(word, 'istio/app_sidecar_ubuntu_noble')).toBe('app_sidecar_ubuntu_noble');
    expect(startedAs(word, 'istio/app_sidecar')).toBe('app_sidecar');
    expect(startedAs(word, 'istio/app')).toBe('app_sidecar');
  });
});

describe('an image is likely signed by a bundle', () => {
  it.each([
    ['istio/pilot', false],
    ['istio/pilot:1.28.9', false],
    ['istio/pilot:1.12.0', false],
    ['istio/pilot:0.30.0', false],
    ['istio/pilot:prod', false],
    ['istio/pilot:1.29', false],
    ['istio/pilot:v1.30.0', false],
    ['istio/pilot:1.29.0', true],
    ['istio/pilot:1.31.1-distroless', true],
    ['istio/pilot:2.0.0', true],
    ['registry.corp.example/istio/mesh-a:1.30.0', true],
  ])('by its tag alone: %s, %s', (image, likely) => {
    expect(classOf(image).isLikelyBundled).toBe(likely);
  });
});
