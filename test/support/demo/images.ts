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

/** The references of the images in the demo's registry, and the key that signed them. */
export interface DemoImages {
  readonly publicPem: string;
  readonly signed: string;
  readonly signedByDigest: string;
  readonly signedByBundle: string;
  readonly unsigned: string;
  readonly signedByOtherKey: string;
  readonly lookAlike: string;
  readonly otherComponent: string;
  /** Signed by a bundle, which names no component; its configuration starts another. */
  readonly startsOtherComponent: string;
  readonly moving: string;
  readonly neverRequested: string;
  /** Moves the tag of `moving` to an unsigned image. */
  moveTag(): void;
}

/**
 * Pushes images with Istio's names, multi-arch and single, and signs some of them with a new key, in cosign's wire format.
 * `docker-reference` names Istio's hub, as in the signatures that a mirror copies.
 */
export const pushDemoImages = (target: PushTarget, host: string): DemoImages => {
  const release = createSigner();
  const hub = (component: string): string => `docker.io/istio/${component}`;
  const pushTagged = (component: string, tag: string, image: Artifact, path = 'istio'): Digest =>
    push(target, `${path}/${component}`, image, tag);
  const pushSigned = (
    component: string,
    tag: string,
    image: Artifact,
    by: Signer = release,
    signedFor = component,
  ): Digest => {
    const digest = pushTagged(component, tag, image);
    for (const { digest: signed } of [image, ...image.children])
      pushSignatures(target, `istio/${component}`, signed, [sign(by, hub(signedFor), signed)]);
    return digest;
  };
  pushSigned('proxyv2', '1.28.0', imageIndex('proxyv2'));
  const pinned = pushSigned('proxyv2', '1.27.3', imageManifest('an older proxyv2'));
  const pushBundled = (tag: string, program: string): void => {
    const config = { Entrypoint: [`/usr/local/bin/${program}`] };
    const digest = pushTagged('proxyv2', tag, imageManifest(`${program} of cosign 3`, { config }));
    pushBundle(target, 'istio/proxyv2', digest, bundleOf(release, digest));
  };
  pushBundled('1.31.0', 'pilot-agent');
  pushBundled('1.31.1', 'ztunnel');
  pushTagged('proxyv2', '1.28.1', imageManifest('unsigned proxyv2'));
  pushSigned('proxyv2', '1.28.2', imageManifest('a proxyv2 signed by another key'), createSigner());
  pushTagged('proxyv2', '1.28.0', imageManifest('a look-alike'), 'fast-proxies');
  pushSigned('proxyv2', '1.28.3', imageManifest('ztunnel'), release, 'ztunnel');
  pushSigned('proxyv2', '1.28.4', imageManifest('proxyv2 before the move'));
  pushSigned('proxyv2', '1.26.0', imageManifest('a proxyv2 that was never requested'));
  const at = (name: string): string => `${host}/${name}`;
  return {
    publicPem: release.publicPem,
    signed: at('istio/proxyv2:1.28.0'),
    signedByDigest: at(`istio/proxyv2@${pinned}`),
    signedByBundle: at('istio/proxyv2:1.31.0'),
    unsigned: at('istio/proxyv2:1.28.1'),
    signedByOtherKey: at('istio/proxyv2:1.28.2'),
    lookAlike: at('fast-proxies/proxyv2:1.28.0'),
    otherComponent: at('istio/proxyv2:1.28.3'),
    startsOtherComponent: at('istio/proxyv2:1.31.1'),
    moving: at('istio/proxyv2:1.28.4'),
    neverRequested: at('istio/proxyv2:1.26.0'),
    moveTag: () => void pushTagged('proxyv2', '1.28.4', imageManifest('proxyv2 after the move')),
  };
};
