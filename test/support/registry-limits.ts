import type { RegistryLimits } from '../../src/registry/index.ts';

/** The limits of registries in tests. A test of a limit sets its own. */
export const registryLimits: RegistryLimits = {
  manifestBytes: 64 * 1024,
  blobBytes: 64 * 1024,
  tokenBytes: 4096,
  redirects: 5,
  referrerPages: 10,
  signatureBytes: 640 * 1024,
  signatureManifestBytes: 64 * 1024,
  requestTimeout: 5000,
  requestsPerRegistry: 8,
};
