import type { Digest } from '../../../src/image/index.ts';
import { bundleOf, pushBundle } from '../bundle-kit.ts';
import {
  type Artifact,
  createSigner,
  imageIndex,
  imageManifest,
  type PushTarget,
  push,
  pushSignatures,
  type Signer,
  sign,
} from '../signing-kit.ts';

/** What the demo's registry holds: references by the part each image plays. */
export interface DemoImages {
  readonly publicPem: string;
  readonly signed: string;
  readonly signedByDigest: string;
  readonly signedByBundle: string;
  readonly unsigned: string;
  readonly byAStranger: string;
  readonly lookAlike: string;
  readonly otherComponent: string;
  readonly moving: string;
  readonly neverAsked: string;
  /** Moves the tag of `moving` to an image nobody signed. */
  moveTag(): void;
}

/**
 * Pushes Istio-named images, multi-arch and single, and signs some of them with a key made on the spot, in cosign's wire
 * format. `docker-reference` names Istio's hub, as the signatures do that a mirror copies.
 */
export const pushDemoImages = (target: PushTarget, host: string): DemoImages => {
  const release = createSigner();
  const hub = (component: string): string => `docker.io/istio/${component}`;
  const put = (component: string, tag: string, image: Artifact, place = 'istio'): Digest =>
    push(target, `${place}/${component}`, image, tag);
  const putSigned = (
    component: string,
    tag: string,
    image: Artifact,
    by: Signer = release,
    signedFor = component,
  ): Digest => {
    const digest = put(component, tag, image);
    for (const each of [image, ...image.children])
      pushSignatures(target, `istio/${component}`, each.digest, [sign(by, hub(signedFor), each.digest)]);
    return digest;
  };
  putSigned('proxyv2', '1.28.0', imageIndex('proxyv2'));
  const pinned = putSigned('proxyv2', '1.27.3', imageManifest('an older proxyv2'));
  const bundled = put('proxyv2', '1.31.0', imageManifest('a proxyv2 of cosign 3'));
  pushBundle(target, 'istio/proxyv2', bundled, bundleOf(release, bundled));
  put('proxyv2', '1.28.1', imageManifest('unsigned proxyv2'));
  putSigned('proxyv2', '1.28.2', imageManifest('a stranger’s proxyv2'), createSigner());
  put('proxyv2', '1.28.0', imageManifest('a look-alike'), 'fast-proxies');
  putSigned('proxyv2', '1.28.3', imageManifest('ztunnel'), release, 'ztunnel');
  putSigned('proxyv2', '1.28.4', imageManifest('proxyv2 before the move'));
  putSigned('proxyv2', '1.26.0', imageManifest('a proxyv2 nobody asked about yet'));
  const at = (name: string): string => `${host}/${name}`;
  return {
    publicPem: release.publicPem,
    signed: at('istio/proxyv2:1.28.0'),
    signedByDigest: at(`istio/proxyv2@${pinned}`),
    signedByBundle: at('istio/proxyv2:1.31.0'),
    unsigned: at('istio/proxyv2:1.28.1'),
    byAStranger: at('istio/proxyv2:1.28.2'),
    lookAlike: at('fast-proxies/proxyv2:1.28.0'),
    otherComponent: at('istio/proxyv2:1.28.3'),
    moving: at('istio/proxyv2:1.28.4'),
    neverAsked: at('istio/proxyv2:1.26.0'),
    moveTag: () => void put('proxyv2', '1.28.4', imageManifest('proxyv2 after the move')),
  };
};
