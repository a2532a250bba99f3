import type { Digest } from '../../src/image/index.ts';
import { writeAuthority } from './authority-file.ts';
import { bundleOf, pushBundle, pushFallbackIndex } from './bundle-kit.ts';
import { startRegistry, type TestRegistry } from './registry-server.ts';
import {
  type Artifact,
  createSigner,
  imageManifest,
  push,
  pushSignatures,
  type Signer,
  sign,
} from './signing-kit.ts';

/** An image on the mirror, by both references that a pod can have for it. */
export interface MirroredImage {
  readonly byTag: string;
  readonly byDigest: string;
  readonly digest: Digest;
}

/** The signature of an image. By default: by the release key, for its own component, with the name of Istio's hub. */
interface Signing {
  readonly component?: string;
  readonly tag?: string;
  /** Unsigned if false. */
  readonly by?: Signer | false;
  /** The repository in the signed bytes. */
  readonly signedAs?: string;
  /** Signed by a bundle that refers to the image, as current releases of Istio are. */
  readonly bundle?: boolean;
  /** The image in place of a new one. */
  readonly image?: Artifact;
}

/** A registry with a mirror of Istio's hub, and the key that signs its images. */
export interface Mirror {
  readonly registry: TestRegistry;
  readonly release: Signer;
  /** A configuration that trusts the key and the mirror. It lacks `server`. */
  readonly configuration: object;
  /** The files that the configuration names, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Pushes a new image. Every call has a digest of its own. */
  add(signing?: Signing): MirroredImage;
}

type RegistryOptions = NonNullable<Parameters<typeof startRegistry>[0]>;

export const startMirror = async (options: RegistryOptions = {}): Promise<Mirror> => {
  const registry = await startRegistry(options);
  const release = createSigner();
  const { tls } = options;
  const caFile = tls === undefined ? undefined : writeAuthority(tls.ca);
  let pushed = 0;
  return {
    registry,
    release,
    configuration: {
      keys: [{ inline: release.publicPem }],
      mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
      registries: [{ host: registry.host, ...(caFile === undefined ? { plainHTTP: true } : { caFile }) }],
    },
    files: tls === undefined || caFile === undefined ? {} : { [caFile]: tls.ca },
    add({ component = 'proxyv2', tag, by = release, signedAs, bundle = false, image } = {}) {
      pushed += 1;
      const name = `istio/${component}`;
      const as = tag ?? `1.28.${pushed}`;
      const digest = push(registry, name, image ?? imageManifest(`image ${pushed}`), as);
      if (by !== false && bundle) {
        const manifest = pushBundle(registry, name, digest, bundleOf(by, digest));
        if (!registry.referrersApi) pushFallbackIndex(registry, name, digest, [manifest]);
      } else if (by !== false)
        pushSignatures(registry, name, digest, [
          sign(by, signedAs ?? `docker.io/istio/${component}`, digest),
        ]);
      const at = `${registry.host}/${name}`;
      return { byTag: `${at}:${as}`, byDigest: `${at}@${digest}`, digest };
    },
  };
};
