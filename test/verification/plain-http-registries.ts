import { createRegistries, type Registries } from '../../src/registry/index.ts';
import { registryLimits } from '../support/registry-limits.ts';

/** Opens registries with plain HTTP to one host of loopback. */
export const registriesOf = (host: string): Registries =>
  createRegistries({
    settings: [{ host, plainHttp: true }],
    limits: { ...registryLimits, manifestBytes: 4 * 1024 * 1024, blobBytes: 1024 * 1024 },
    now: Date.now,
  });
