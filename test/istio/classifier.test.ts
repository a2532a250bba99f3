import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageReference, repositoryFromName } from '../../src/image/index.ts';
import { builtInHubs, createClassifier, type ImageClass } from '../../src/istio/index.ts';
import {
  acceptedLongReferences,
  acceptedReferences,
  refusedReferences,
} from '../support/distribution-references.ts';
import { builtIn, summariseClass } from './summarise-class.ts';

const DIGEST = `sha256:${'e6693c20'.repeat(8)}`;

const classOf = (text: string, classifier = builtIn): ImageClass => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return classifier.classify(parsed.reference);
};

const HUB_NAMES = [
  'docker.io/istio',
  'gcr.io/istio-release',
  'registry.istio.io/release',
  'registry-1.docker.io/istio',
];

describe('names made to be mistaken', () => {
  it.each([
    // Similar to the hub.
    ['istio-evil/proxyv2:1.28.0', 'look-alike of proxyv2'],
    ['docker.io/istio-evil/proxyv2:1.28.0', 'look-alike of proxyv2'],
    ['docker.io/istio-evil/pilot:1.28.0', 'look-alike of pilot'],
    ['docker.io/istioo/proxyv2:1.28.0', 'look-alike of proxyv2'],
    ['docker.io/1stio/proxyv2', 'look-alike of proxyv2'],
    ['docker.io/istio/x/proxyv2', 'look-alike of proxyv2'],
    ['docker.io/istio/x/pilot', 'look-alike of pilot'],
    ['docker.io/istio/x/app', 'not ours'],
    ['gcr.io/istio-release/charts/base', 'not ours'],
    ['docker.io.evil.com/istio/proxyv2', 'look-alike of proxyv2'],
    ['docker.io.evil.com/istio/pilot', 'look-alike of pilot'],
    ['docker.io.evil.com/istio/app', 'not ours'],
    ['evil.com/docker.io/istio/proxyv2', 'look-alike of proxyv2'],
    ['evil.com/docker.io/istio/istioctl', 'look-alike of istioctl'],
    ['docker.io:443/istio/proxyv2', 'look-alike of proxyv2'],
    ['gcr.io:443/istio-release/pilot', 'look-alike of pilot'],
    ['gcr.io/istio-release2/install-cni', 'look-alike of install-cni'],
    ['eu.gcr.io/istio-release/ztunnel', 'look-alike of ztunnel'],
    ['localhost/istio/proxyv2', 'look-alike of proxyv2'],
    ['[::1]:5000/istio/pilot', 'look-alike of pilot'],
    ['ISTIO/proxyv2', 'look-alike of proxyv2'],
    ['library/proxyv2', 'look-alike of proxyv2'],
    ['proxyv2', 'look-alike of proxyv2'],
    [`evil.com/istio/proxyv2@${DIGEST}`, 'look-alike of proxyv2'],
    ['xn--isti-0cf.com/proxyv2', 'look-alike of proxyv2'],
    // An underscore in a host: a runtime pulls from it.
    ['my_registry.corp.example/istio/pilot:1.28.0', 'look-alike of pilot'],
    ['my_registry.corp.example/istio/istioctl:1.28.0', 'look-alike of istioctl'],
    ['my_registry.corp.example/proxyv2', 'look-alike of proxyv2'],
    ['docker_io.io/istio/pilot', 'look-alike of pilot'],
    ['my_registry.corp.example/istio/app', 'not ours'],
    ['istio_registry.corp.example/pilot', 'not ours'],
    // The hub itself, in unusual spellings.
    ['DOCKER.IO/istio/proxyv2:1.28.0', 'docker.io/istio, proxyv2'],
    ['Index.Docker.io/istio/proxyv2:1.28.0', 'docker.io/istio, proxyv2'],
    ['GCR.io/istio-release/proxyv2:1.28.0', 'docker.io/istio, proxyv2'],
    [`istio/proxyv2@${DIGEST}`, 'docker.io/istio, proxyv2'],
    [`istio/proxyv2:1.28.0@${DIGEST}`, 'docker.io/istio, proxyv2'],
    // On the hub, with a name that is no component.
    ['istio/proxyv2-debug:1.28.0', 'docker.io/istio, no component'],
    ['istio/base-evil:1.28.0', 'docker.io/istio, no component'],
    ['istio/examples:1.28.0', 'docker.io/istio, no component'],
    ['istio/xexamples-bookinfo:1.28.0', 'docker.io/istio, no component'],
    ['istio/build-tools:1.28.0', 'docker.io/istio, no component'],
    // The name with prefixes and suffixes.
    ['evil/istio-proxyv2', 'look-alike of proxyv2'],
    ['evil/proxyv2-debug', 'look-alike of proxyv2'],
    ['evil/proxyv2_debug', 'look-alike of proxyv2'],
    ['evil/proxyv2.distroless', 'look-alike of proxyv2'],
    ['evil/proxyv2-distroless-fips', 'look-alike of proxyv2'],
    ['evil/mirrored-istio-install-cni', 'look-alike of install-cni'],
    ['evil/install_cni', 'look-alike of install-cni'],
    ['evil/istio-pilot', 'look-alike of pilot'],
    ['evil/my-istio/pilot', 'look-alike of pilot'],
    ['evil/istio/some/where/pilot', 'look-alike of pilot'],
    ['evil/istio-istioctl', 'look-alike of istioctl'],
    // The name inside another word, or another name: only the container's name can decide.
    ['evil/pilot', 'not ours'],
    ['istio.evil.com/pilot', 'not ours'],
    ['evil/istioctl', 'not ours'],
    ['evil/istio-proxy', 'not ours'],
    ['evil/proxy-v2', 'not ours'],
    ['evil/proxyv2-exporter', 'not ours'],
    ['evil/token-proxyv2', 'not ours'],
    ['evil/proxyv22', 'not ours'],
    ['evil/installcni', 'not ours'],
    ['evil/ztunnels', 'not ours'],
    ['proxyv2/nginx', 'not ours'],
    ['evil/istio:proxyv2', 'not ours'],
    ['evil/istio-mirrored', 'not ours'],
    ['evil/debug', 'not ours'],
    // Components on a hub, ordinary names elsewhere.
    ['evil/istio/app', 'not ours'],
    ['evil/istio/operator', 'not ours'],
    ['evil/istio/ext-authz', 'not ours'],
    ['evil/istio/agentgateway', 'not ours'],
    ['cr.agentgateway.dev/agentgateway:v1.4.1', 'not ours'],
  ])('%s: %s', (text, expected) => {
    expect(summariseClass(text)).toBe(expected);
  });
});

describe('what distribution/reference accepts', () => {
  const isIstios = (text: string): boolean => text.includes('istio/') || text.includes('proxyv2');

  it('is judged or refused, whatever its host', () => {
    const images = acceptedReferences.map(([text]) => text).filter(isIstios);
    expect(images.length).toBeGreaterThan(25);
    expect(images.filter((text) => summariseClass(text).endsWith('not ours'))).toEqual([]);
  });

  it('is refused if it is longer than any name', () => {
    expect(acceptedLongReferences.map((text) => summariseClass(text))).toEqual(
      acceptedLongReferences.map(() => "no reference, could be Istio's"),
    );
  });

  it('is not the limit: what it refuses and another parser could accept is refused too', () => {
    const images = refusedReferences.filter(isIstios);
    expect(images.length).toBeGreaterThan(30);
    expect(images.filter((text) => summariseClass(text).endsWith('not ours'))).toEqual([]);
  });
});

describe("vendors' builds are look-alikes that name the vendor", () => {
  it.each([
    ['gcr.io/gke-release/asm/proxyv2:1.16.7-asm.10-distroless', 'proxyv2 by Google Cloud Service Mesh'],
    ['gcr.io/gke-release/asm/pilot:1.16.7-asm.10', 'pilot by Google Cloud Service Mesh'],
    ['mcr.microsoft.com/oss/istio/pilot:1.23.0-distroless', 'pilot by Microsoft AKS'],
    ['mcr.microsoft.com/oss/v2/istio/proxyv2-fips:v1.26.4-1', 'proxyv2 by Microsoft AKS'],
    ['mcr.microsoft.com/oss/v2/istio/pilot:v1.29.2-1', 'pilot by Microsoft AKS'],
    [
      `registry.redhat.io/openshift-service-mesh/istio-proxyv2-rhel9@${DIGEST}`,
      'proxyv2 by Red Hat OpenShift Service Mesh',
    ],
    [
      `registry.redhat.io/openshift-service-mesh/istio-cni-rhel9@${DIGEST}`,
      'install-cni by Red Hat OpenShift Service Mesh',
    ],
    [
      `registry.redhat.io/openshift-service-mesh-tech-preview/istio-ztunnel-rhel9@${DIGEST}`,
      'ztunnel by Red Hat OpenShift Service Mesh',
    ],
    ['quay.io/maistra/proxyv2-ubi8:2.6.0', 'proxyv2 by Maistra'],
    ['maistra/pilot-ubi8:2.6.0', 'pilot by Maistra'],
    ['quay.io/sail-dev/istio-proxyv2:1.30', 'proxyv2 by the Sail operator project'],
    ['us-docker.pkg.dev/soloio-img/istio/ztunnel:1.30.3-solo', 'ztunnel by Solo.io'],
    ['us-docker.pkg.dev/gloo-mesh/istio-4d37697f9711/pilot:1.24.5-solo', 'pilot by Solo.io'],
    ['us-docker.pkg.dev/gloo-mesh/istio-workshops/proxyv2:1.23.1-solo', 'proxyv2 by Solo.io'],
    ['gcr.io/istio-enterprise/istioctl:1.10.4', 'istioctl by Solo.io'],
    ['addon-containers.istio.tetratelabs.com/proxyv2:1.20.1-tetrate0', 'proxyv2 by Tetrate'],
    ['containers.dl.tetrate.io/pilot:1.20.1', 'pilot by Tetrate'],
    ['containers.istio.tetratelabs.com/pilot:1.13.3-tetratefips-v0', 'pilot by Tetrate'],
    ['registry1.dso.mil/ironbank/tetrate/istio/install-cni:1.20', 'install-cni by Tetrate'],
    ['registry1.dso.mil/ironbank/opensource/istio/proxyv2:1.30.2', 'proxyv2 by Iron Bank'],
    ['rancher/mirrored-istio-proxyv2:1.18.2-distroless', 'proxyv2 by Rancher'],
    ['rancher/mirrored-istio-pilot:1.18.2', 'pilot by Rancher'],
    ['rancher/istio-proxyv2:1.18.2', 'proxyv2 by Rancher'],
    ['registry.rancher.com/rancher/mirrored-istio-pilot:1.18.2', 'pilot by Rancher'],
    ['registry.suse.com/rancher/mirrored-istio-proxyv2:1.18.2', 'proxyv2 by Rancher'],
    ['fips-containers.istio.tetratelabs.com/pilot:1.17.8-tetratefips-v1', 'pilot by Tetrate'],
    ['cgr.dev/chainguard/istio-proxy:latest', 'proxyv2 by Chainguard'],
    ['cgr.dev/chainguard/istio-install-cni-fips:latest', 'install-cni by Chainguard'],
    ['cgr.dev/acme.example/istio-proxy-fips:1.28', 'proxyv2 by Chainguard'],
    ['cgr.dev/chainguard-private/istio-pilot:1.23', 'pilot by Chainguard'],
    ['dhi.io/istio-pilot:1.28', 'pilot by Docker Hardened Images'],
    ['intel/pilot:1.19.0-intel.0', 'pilot by Intel'],
    ['querycapistio/install-cni:1.12.0', 'install-cni by querycap'],
  ])('%s: %s', (text, expected) => {
    expect(summariseClass(text)).toBe(`look-alike of ${expected}`);
  });

  it.each([
    'rancher/rancher',
    'rancher/proxy',
    'cgr.dev/chainguard/proxy',
    'cgr.dev/acme.example/proxy',
    'us-docker.pkg.dev/gloo-mesh/gloo-mesh-ui',
    'us-docker.pkg.dev/soloio-img-evil/pilot',
    'mcr.microsoft.com/oss/v2/kubernetes/pilot',
    'intel/istio-cnix',
    'dhi.io/istio-base',
    'dhi.io.evil.com/istio-proxy',
    'rancher-evil/pilot',
  ])('but not whatever else they build: %s', (text) => {
    expect(summariseClass(text)).toBe('not ours');
  });
});

describe('an image directly below a hub', () => {
  it.each(HUB_NAMES)(
    'is of docker.io/istio at %s, and counts for a key that is limited to any of its names',
    (name) => {
      expect(classOf(`${name}/proxyv2:1.28.0`)).toEqual({
        kind: 'istio',
        place: 'docker.io/istio',
        places: HUB_NAMES,
        component: 'proxyv2',
        componentOf: expect.any(Function),
        componentOfStart: expect.any(Function),
        isLikelyBundled: false,
        signaturesAt: [...new Set([`${name}/proxyv2`, 'docker.io/istio/proxyv2'])].map(repositoryFromName),
        neverSigned: undefined,
      });
    },
  );

  it.each([
    ['gcr.io/istio-testing', 'gcr.io/istio-testing'],
    ['registry.istio.io/testing', 'gcr.io/istio-testing'],
    ['gcr.io/istio-prerelease-testing', 'gcr.io/istio-prerelease-testing'],
    ['registry.istio.io/prerelease-testing', 'gcr.io/istio-prerelease-testing'],
    ['ghcr.io/istio/prerelease-testing', 'ghcr.io/istio/prerelease-testing'],
  ])('%s is never signed, whatever its tag', (name, place) => {
    expect([summariseClass(`${name}/pilot:1.28.0`), summariseClass(`${name}/pilot@${DIGEST}`)]).toEqual([
      `${place}, pilot, never signed`,
      `${place}, pilot, never signed`,
    ]);
  });

  it.each([
    'examples-bookinfo-details-v1',
    'examples-helloworld-v1',
    'tcp-echo-server',
    'base',
    'distroless',
    'kubectl',
  ])('is not ours where it is the sample %s', (name) => {
    expect(HUB_NAMES.map((hub) => summariseClass(`${hub}/${name}:1.28.0`))).toEqual(
      HUB_NAMES.map(() => 'not ours'),
    );
  });
});

describe('why an image of the release hub has no signature', () => {
  const EARLY = 'Istio signed no release before 1.12';
  const INDEX = 'Istio 1.15 to 1.17 signed the index only: pin its digest, not that of one platform';
  const DEVELOPMENT = 'its tag is that of a development build, and those are not signed';
  const COMMIT = '0123456789abcdef'.repeat(3).slice(0, 40);

  it.each([
    ['0.8.0', EARLY],
    ['1.1.4', EARLY],
    ['1.11.8', EARLY],
    ['1.11.8-distroless', EARLY],
    ['1.11.0-rc.0', EARLY],
    [`1.11.8@${DIGEST}`, EARLY],
    ['1.12.0', undefined],
    ['1.14.6-debug', undefined],
    ['1.15.0', undefined],
    [`1.14.6@${DIGEST}`, undefined],
    [`1.15.0@${DIGEST}`, INDEX],
    [`1.17.8-distroless@${DIGEST}`, INDEX],
    [`1.18.0@${DIGEST}`, undefined],
    ['1.18.0-alpha.0', 'a failure of the release job left 1.18.0-alpha.0 unsigned'],
    ['1.18.0-alpha.0-distroless', 'a failure of the release job left 1.18.0-alpha.0 unsigned'],
    ['1.18.0-beta.0', undefined],
    ['1.19.0-alpha.0', 'a failure of the release job probably left 1.19.0-alpha.0 unsigned'],
    ['1.19.0-alpha.1', undefined],
    ['1.28.0', undefined],
    ['1.31.1', undefined],
    ['2.0.0', undefined],
    ['latest', DEVELOPMENT],
    ['latest-distroless', DEVELOPMENT],
    ['1.28-dev', DEVELOPMENT],
    [`1.28-alpha.${COMMIT}`, DEVELOPMENT],
    [`1.31.0-alpha.${COMMIT}-debug`, DEVELOPMENT],
    [COMMIT, DEVELOPMENT],
    ['v1.11.0', undefined],
    ['1.11', undefined],
    ['1.11.0.1', undefined],
    ['unittest', undefined],
  ])('%s: %s', (tag, neverSigned) => {
    expect(classOf(`istio/pilot:${tag}`)).toEqual({
      kind: 'istio',
      place: 'docker.io/istio',
      places: HUB_NAMES,
      component: 'pilot',
      componentOf: expect.any(Function),
      componentOfStart: expect.any(Function),
      isLikelyBundled: ['1.31.1', '2.0.0'].includes(tag),
      signaturesAt: [repositoryFromName('docker.io/istio/pilot')],
      neverSigned,
    });
  });

  it('is unknown by digest alone, and may be that it is one platform’s', () => {
    expect(summariseClass(`istio/pilot@${DIGEST}`)).toBe('docker.io/istio, pilot');
    const guessOf = (text: string) => {
      const found = classOf(text);
      return found.kind === 'istio' ? found.unsignedHint : found.kind;
    };
    expect(HUB_NAMES.map((name) => guessOf(`${name}/pilot@${DIGEST}`))).toEqual(HUB_NAMES.map(() => INDEX));
    expect(
      [
        `istio/pilot:1.17.0@${DIGEST}`,
        `istio/pilot:x@${DIGEST}`,
        'istio/pilot',
        `gcr.io/istio-testing/pilot@${DIGEST}`,
      ].map(guessOf),
    ).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('mirrors and hubs of a configuration', () => {
  const classifier = createClassifier({
    hubs: [...builtInHubs, 'registry.corp.example/mesh'],
    mirrors: [
      { mirror: 'registry.corp.example/istio', of: 'docker.io/istio' },
      { mirror: 'registry.corp.example/istio/nightly', of: 'gcr.io/istio-testing' },
      { mirror: 'registry.corp.example/own', of: 'registry.corp.example/mesh' },
      { mirror: 'mirror.corp.example:5000', of: 'gcr.io/istio-release' },
      { mirror: 'gcr.io/istio-release', of: 'docker.io/istio' },
    ],
  });

  it.each([
    ['registry.corp.example/istio/proxyv2:1.28.0', 'registry.corp.example/istio, proxyv2'],
    ['Registry.Corp.example/istio/mesh-a:1.28.0', 'registry.corp.example/istio, no component'],
    ['registry.corp.example/istio/proxyv2:1.10.0', 'registry.corp.example/istio, proxyv2, never signed'],
    // The longest matching name wins.
    [
      'registry.corp.example/istio/nightly/pilot:1.28.0',
      'registry.corp.example/istio/nightly, pilot, never signed',
    ],
    ['registry.corp.example/istio/nightly:1.28.0', 'registry.corp.example/istio, no component'],
    ['registry.corp.example/istio/other/pilot:1.28.0', 'look-alike of pilot'],
    // The signing eras of Istio's hub do not apply to a configured hub.
    ['registry.corp.example/mesh/pilot:1.10.0', 'registry.corp.example/mesh, pilot'],
    ['registry.corp.example/own/pilot:latest', 'registry.corp.example/own, pilot'],
    // A whole registry.
    ['mirror.corp.example:5000/ztunnel:1.28.0', 'mirror.corp.example:5000, ztunnel'],
    ['mirror.corp.example:5000/a/b:1.28.0', 'not ours'],
    ['mirror.corp.example/pilot:1.28.0', 'not ours'],
    // Named as a hub and as a mirror.
    ['gcr.io/istio-release/pilot:1.28.0', 'gcr.io/istio-release, pilot'],
  ])('%s: %s', (text, expected) => {
    expect(summariseClass(text, classifier)).toBe(expected);
  });

  // Only Istio pushes to its hubs; on a mirror, others choose which image has the name of a sample.
  it.each([
    [
      'registry.corp.example/istio/examples-bookinfo-details-v1:1',
      'registry.corp.example/istio, no component',
    ],
    ['registry.corp.example/istio/examples-proxyv2:1.28.0', 'registry.corp.example/istio, no component'],
    ['registry.corp.example/istio/base:1.28.0', 'registry.corp.example/istio, no component'],
    [
      'registry.corp.example/istio/nightly/distroless',
      'registry.corp.example/istio/nightly, no component, never signed',
    ],
    ['registry.corp.example/mesh/base:1.28.0', 'registry.corp.example/mesh, no component'],
    ['registry.corp.example/mesh/examples-proxyv2:1.28.0', 'registry.corp.example/mesh, no component'],
    ['registry.corp.example/own/kubectl:1', 'registry.corp.example/own, no component'],
    ['mirror.corp.example:5000/base:1.28.0', 'mirror.corp.example:5000, no component'],
    ['gcr.io/istio-release/base:1.28.0', 'gcr.io/istio-release, no component'],
    ['istio/base:1.28.0', 'not ours'],
    ['registry.istio.io/testing/examples-proxyv2:1.28.0', 'not ours'],
  ])('is a sample on the built-in hubs alone: %s', (text, expected) => {
    expect(summariseClass(text, classifier)).toBe(expected);
  });

  it("count alone for a key that is limited to them, and not with their hub's names", () => {
    const placesOf = (text: string) => {
      const found = classOf(text, classifier);
      return found.kind === 'istio' ? found.places : found.kind;
    };
    expect([
      placesOf('registry.corp.example/istio/proxyv2:1.28.0'),
      placesOf('registry.corp.example/mesh/proxyv2:1.28.0'),
    ]).toEqual([['registry.corp.example/istio'], ['registry.corp.example/mesh']]);
  });

  it('replace the built-in hubs where these are not given', () => {
    const only = createClassifier({ hubs: ['registry.corp.example/mesh'], mirrors: [] });
    expect(
      ['istio/proxyv2', 'istio/app', 'gcr.io/istio-testing/pilot'].map((text) => summariseClass(text, only)),
    ).toEqual(['look-alike of proxyv2', 'not ours', 'look-alike of pilot']);
  });

  it('bring all names of a hub along where one alias is given', () => {
    const alias = createClassifier({ hubs: ['gcr.io/istio-release'], mirrors: [] });
    expect(summariseClass('istio/proxyv2:1.28.0', alias)).toBe('docker.io/istio, proxyv2');
  });
});

describe('where signatures are looked for', () => {
  const M = 'registry.corp.example/istio';
  const signaturesOf = (text: string, signatures?: string, of = 'docker.io/istio') => {
    const components = { 'mesh-a': 'proxyv2' };
    const mirror = { mirror: M, of, components, ...(signatures === undefined ? {} : { signatures }) };
    const found = classOf(text, createClassifier({ hubs: builtInHubs, mirrors: [mirror] }));
    return found.kind === 'istio' ? found.signaturesAt.map(({ name }) => name) : found.kind;
  };

  it.each([
    [undefined, [`${M}/mesh-a`]],
    ['mirror', [`${M}/mesh-a`]],
    ['hub', ['docker.io/istio/proxyv2']],
    ['mirror-then-hub', [`${M}/mesh-a`, 'docker.io/istio/proxyv2']],
    ['signatures.corp.example/all', ['signatures.corp.example/all']],
  ])('on a mirror with signatures: %s', (signatures, expected) => {
    expect(signaturesOf(`${M}/mesh-a:1.28.0`, signatures)).toEqual(expected);
  });

  it('on a mirror of a retired name: at the hub that is left', () => {
    expect(signaturesOf(`${M}/pilot:1.28.0`, 'hub', 'gcr.io/istio-release')).toEqual([
      'docker.io/istio/pilot',
    ]);
  });

  it.each(HUB_NAMES)('at %s: there, and then at the hub', (name) => {
    expect(signaturesOf(`${name}/pilot@${DIGEST}`)).toEqual([
      ...new Set([`${name}/pilot`, 'docker.io/istio/pilot']),
    ]);
  });

  it('at a hub of the configuration’s own: there alone', () => {
    const own = createClassifier({ hubs: ['registry.corp.example/mesh'], mirrors: [] });
    expect(classOf('registry.corp.example/mesh/pilot:1', own)).toMatchObject({
      signaturesAt: [repositoryFromName('registry.corp.example/mesh/pilot')],
    });
  });
});

describe('the component that a signature names', () => {
  const renamed = createClassifier({
    hubs: builtInHubs,
    mirrors: [
      { mirror: 'registry.corp.example/istio', of: 'docker.io/istio', components: { 'mesh-a': 'proxyv2' } },
    ],
  });
  const named = (signed: string, image = 'registry.corp.example/istio/mesh-a:1.28.0') => {
    const found = classOf(image, renamed);
    return found.kind === 'istio' ? [found.component, found.componentOf(signed)] : [found.kind];
  };

  it.each([
    ['index.docker.io/istio/pilot', 'pilot'],
    ['docker.io/istio/ztunnel:1.28.0', 'ztunnel'],
    [`gcr.io/istio-release/pilot@${DIGEST}`, 'pilot'],
    ['docker.io/istio/mesh-b', undefined],
    ['', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
    ['index.docker.io/istio/proxyv2', 'proxyv2'],
    ['registry.corp.example/istio/mesh-a', 'proxyv2'],
  ])('%s is %s to a renamed proxyv2', (signed, component) => {
    expect(named(signed)).toEqual(['proxyv2', component]);
  });

  it('has no name of a mirror elsewhere', () => {
    expect(named('registry.corp.example/istio/mesh-a', 'istio/proxyv2:1.28.0')).toEqual([
      'proxyv2',
      undefined,
    ]);
  });
});

describe("a text that is no reference could be Istio's", () => {
  const classifier = createClassifier({
    hubs: builtInHubs,
    mirrors: [
      { mirror: 'registry.corp.example/mesh', of: 'docker.io/istio' },
      { mirror: 'docker.io/corp', of: 'docker.io/istio' },
    ],
  });
  const SHA512 = `sha512:${'e6693c20'.repeat(16)}`;

  it.each([
    // A runtime accepts these.
    ['a sha512 digest on a hub', `istio/pilot@${SHA512}`],
    ['a sha512 digest on a mirror', `registry.corp.example/mesh/mesh-a@${SHA512}`],
    ['a sha512 digest beside a tag', `registry.corp.example/mesh/mesh-a:1.28.0@${SHA512}`],
    ['a sha512 digest of a look-alike', `evil.com/istio/pilot@${SHA512}`],
    // No runtime accepts these, but they are meant as Istio images.
    ['capitals in the path', 'docker.io/Istio/Pilot:1.28.0'],
    ['a capital in a name', 'evil.com/ProxyV2'],
    ['a space before', ' istio/pilot:1.28.0'],
    ['a line feed behind', 'istio/pilot:1.28.0\n'],
    ['a URL', 'https://registry.istio.io/release/app'],
    ['a bad tag', 'gcr.io/istio-testing/app:~'],
    ['a bad tag on a mirror', 'registry.corp.example/mesh/app:~'],
    ['a bad tag on a mirror of Docker Hub', 'corp/app:~'],
    ['a template', '{{ .Values.hub }}/proxyv2:{{ .Values.tag }}'],
    ['a name past what is parsed', `${' '.repeat(5000)}istio/pilot`],
    ['a mirror past what is parsed', `REGISTRY.corp.example/mesh/${'a/'.repeat(2500)}app`],
    ['a name and more than is parsed', `istio/pilot:${'1'.repeat(5000)}`],
  ])('by %s', (_, text) => {
    expect([parseImageReference(text).ok, classifier.couldBeIstio(text)]).toEqual([false, true]);
  });

  it.each([
    ['a letter that only Unicode lowers to an i', 'INSTALL-CN\u0130'],
    ['nothing', ''],
    ['a template', '{{ .Values.image }}'],
    ['an image id', DIGEST],
    ['a sha512 digest', `acme/app@${SHA512}`],
    ['a sha512 digest of a sample', `istio/examples-helloworld-v1:1.28.0@${SHA512}`],
    ['capitals', 'acme/Copilot'],
    ['the end of a host', 'registry.corp.example/Mesh2/app'],
    ['a host that is no host', 'acme_:5000/acme/copilot'],
    ['a user', 'user@acme.example//acme/app'],
    ['more than anybody pulls', `acme.example:${'0'.repeat(5000)}443/acme/app`],
  ])('but not by %s', (_, text) => {
    expect([parseImageReference(text).ok, classifier.couldBeIstio(text)]).toEqual([false, false]);
  });

  it('and asking never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof classifier.couldBeIstio(text)).toBe('boolean');
      }),
    );
  });
});
