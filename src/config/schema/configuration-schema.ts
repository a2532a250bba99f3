import type { XStatic } from 'typebox/schema';
import { logFormats, logLevels } from '../config.ts';
import { type LimitName, limitTable } from '../limits.ts';
import { kubernetes } from './kubernetes.ts';
import {
  address,
  duration,
  flag,
  list,
  oneOf,
  path,
  place,
  quantities,
  registryHost,
  text,
} from './value-types.ts';

/*
 * JSON Schema, draft 7: the source of the file's type, checks and messages. `description` completes "must be …". A check
 * that needs more than one key (the hub of a mirror exists) is made by the key's reader in `readers/`. A key that is
 * added here does not compile until a reader takes it and `describe-config.ts` prints it.
 */

const key = {
  type: 'object',
  additionalProperties: false,
  description: 'a key: {istio: release}, {file: …}, {url: …, sha256: …} or {inline: …}',
  oneOf: [{ required: ['istio'] }, { required: ['file'] }, { required: ['url'] }, { required: ['inline'] }],
  dependencies: { sha256: ['url'] },
  properties: {
    istio: oneOf('release'),
    file: path,
    url: { type: 'string', pattern: '^https://', description: 'an https URL' },
    inline: { type: 'string', minLength: 1, description: 'a PEM public key, a JWK or a JWKS' },
    sha256: {
      type: 'string',
      pattern: '^[0-9a-fA-F]{64}$',
      description: 'the SHA-256 of the SubjectPublicKeyInfo, 64 hexadecimal digits',
    },
    for: { ...list(place), minItems: 1 },
  },
} as const;

const mirror = {
  type: 'object',
  additionalProperties: false,
  required: ['mirror', 'of'],
  description: 'a mirror: {mirror: registry.corp.example/istio, of: docker.io/istio}',
  properties: {
    mirror: place,
    of: place,
    components: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1, description: 'the name of a component' },
      description: "this mirror's own names and their components: {mesh-a: proxyv2}",
    },
    signatures: {
      type: 'string',
      minLength: 1,
      description: 'mirror, hub, mirror-then-hub, or a repository, such as registry.corp.example/signatures',
    },
  },
} as const;

const registry = {
  type: 'object',
  additionalProperties: false,
  required: ['host'],
  description: 'a registry: {host: registry.corp.example, caFile: …}',
  properties: {
    host: registryHost,
    endpoint: {
      type: 'string',
      minLength: 1,
      description: 'a registry host, with a path if it has one: harbor.corp.example/hub',
    },
    caFile: path,
    tokenRealms: list(registryHost),
    plainHTTP: flag,
    credentials: {
      type: 'object',
      additionalProperties: false,
      description:
        'credentials: {dockerConfig: FILE, providers: {config: FILE, binDir: DIR}, pullSecrets: [namespace/name]}',
      properties: {
        dockerConfig: path,
        providers: {
          type: 'object',
          additionalProperties: false,
          required: ['config', 'binDir'],
          description: 'credential providers as the kubelet runs them: {config: FILE, binDir: DIR}',
          properties: { config: path, binDir: { ...path, description: 'the path of a directory' } },
        },
        pullSecrets: {
          ...list({
            type: 'string',
            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$',
            description: 'a namespace and the name of a Secret: istio-system/registry',
          } as const),
          minItems: 1,
        },
      },
    },
  },
} as const;

const registryDefaults = {
  type: 'object',
  additionalProperties: false,
  description: 'the settings of all registries: {caFile: FILE}',
  properties: { caFile: path },
} as const;

const revoked = {
  type: 'object',
  additionalProperties: false,
  required: ['digest', 'reason'],
  description: 'a revoked digest: {digest: sha256:…, reason: …}',
  properties: {
    digest: {
      type: 'string',
      pattern: '^sha256:[0-9a-f]{64}$',
      description: 'sha256: and 64 lower-case hexadecimal digits',
    },
    reason: text,
  },
} as const;

const exemption = {
  type: 'object',
  additionalProperties: false,
  required: ['images', 'namespaces', 'reason', 'owner', 'expires'],
  description: 'an exemption: {images: […], namespaces: […], reason: …, owner: …, expires: 2027-03-01}',
  properties: {
    images: { ...list(text), minItems: 1 },
    namespaces: { ...list(text), minItems: 1 },
    reason: text,
    owner: text,
    expires: {
      type: 'string',
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
      description: 'a date, such as 2027-03-01',
    },
  },
} as const;

const undetermined = {
  type: 'object',
  additionalProperties: false,
  description: 'the effect of an undetermined verdict: {enforce: …, critical: …, tagOutageWindow: …}',
  properties: {
    enforce: oneOf('deny', 'allow-verified-tag', 'allow'),
    critical: oneOf('deny', 'allow-verified-tag', 'allow'),
    tagOutageWindow: duration,
  },
} as const;

const evidence = {
  type: 'object',
  additionalProperties: false,
  description: 'evidence: {read: [DIRECTORY], write: DIRECTORY}',
  properties: {
    read: list({ ...path, description: 'the path of a directory' } as const),
    write: { ...path, description: 'the path of a directory' },
  },
} as const;

const limitSchemas = Object.fromEntries(
  limitTable.map(({ name, unit }) => [name, quantities[unit]]),
) as unknown as Readonly<Record<LimitName, { readonly type: readonly ['string', 'integer'] }>>;

const server = {
  type: 'object',
  additionalProperties: false,
  description: 'the server: {listen: …, probes: …, certificate: …, log: …}',
  properties: {
    listen: address,
    probes: address,
    certificate: {
      type: 'object',
      additionalProperties: false,
      required: ['cert', 'key'],
      description: 'a certificate: {cert: FILE, key: FILE}',
      properties: { cert: path, key: path },
    },
    log: {
      type: 'object',
      additionalProperties: false,
      description: 'the log: {level: info, format: json}',
      properties: {
        level: oneOf(...logLevels),
        format: oneOf(...logFormats),
      },
    },
  },
} as const;

/** The schema of the configuration file, `sailmark.dev/v1alpha1`: every key is read, and an unknown key is refused. */
export const configurationSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  // A name in the group of `apiVersion`, not an address: nothing is served there, and nothing fetches it.
  $id: 'https://sailmark.dev/v1alpha1/configuration.schema.json',
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind'],
  description: 'a configuration: apiVersion: sailmark.dev/v1alpha1, kind: Configuration, and its keys',
  properties: {
    apiVersion: oneOf('sailmark.dev/v1alpha1'),
    kind: oneOf('Configuration'),
    keys: { ...list(key), minItems: 1 },
    requirePinnedKeys: flag,
    hubs: list(place),
    replaceHubs: flag,
    mirrors: list(mirror),
    registries: list(registry),
    registryDefaults,
    transparencyLog: oneOf('ignore', 'require'),
    trustedRoot: path,
    componentProof: oneOf('configuration', 'none'),
    undetermined,
    lookAlikes: oneOf('deny', 'warn', 'ignore'),
    unrecognised: oneOf('deny', 'warn', 'ignore'),
    requireDigest: flag,
    pin: oneOf('enforce', 'always', 'never'),
    revoked: list(revoked),
    exemptions: list(exemption),
    evidence,
    tagMemory: duration,
    limits: {
      type: 'object',
      additionalProperties: false,
      description: 'limits by name',
      properties: limitSchemas,
    },
    server,
    kubernetes,
  },
} as const;

/** A configuration file that the schema accepts. */
export type ConfigurationFile = XStatic<typeof configurationSchema>;
