import type { RegistryLimits } from '../../src/registry/index.ts';

/** What registries of tests keep to; a test that means one of them says so. */
export const registryLimits: RegistryLimits = {
  manifestBytes: 64 * 1024,
  blobBytes: 64 * 1024,
  tokenBytes: 4096,
  redirects: 5,
  referrerPages: 10,
  requestTimeout: 5000,
  requestsPerRegistry: 8,
};
