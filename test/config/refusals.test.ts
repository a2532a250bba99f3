import { describe, expect, it } from 'vitest';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { refusals, wholeRefusals } from './parse.ts';

const DURATION = 'a duration such as 500ms, 10s, 1m30s or 24h (0 is none)';

describe('a file that is no configuration', () => {
  it('is refused with where it stops to be YAML', async () => {
    expect(await wholeRefusals('keys: [')).toEqual([
      expect.stringMatching(/^: the file is not YAML: .* \(line 1, column \d+\)$/),
    ]);
    expect(await wholeRefusals('')).toEqual([
      ': the file is not YAML: expected a document, but the input is empty',
    ]);
  });

  it('is refused where a key stands twice, an alias repeats, a tag or a second document stands', async () => {
    expect(await refusals('tagMemory: 1s\ntagMemory: 2s')).toEqual([
      ': the file is not YAML: duplicated mapping key (line 4, column 1)',
    ]);
    expect(await refusals('hubs: &hubs [a.example/b]\nmirrors: *hubs')).toEqual([
      expect.stringMatching(/^: the file is not YAML: aliases exceeded/),
    ]);
    expect(await refusals('hubs: &hubs [*hubs]')).toEqual([
      expect.stringMatching(/^: the file is not YAML: /),
    ]);
    expect(await refusals('tagMemory: !!binary aGk=')).toEqual([
      expect.stringMatching(/^: the file is not YAML: unknown scalar tag/),
    ]);
    expect(await refusals('---\nkind: Configuration')).toEqual([
      expect.stringMatching(/^: the file is not YAML: expected a single document/),
    ]);
    expect(await refusals(`hubs: ${'['.repeat(20_000)}`)).toEqual([
      expect.stringMatching(/^: the file is not YAML: /),
    ]);
  });

  it('is refused where it is another thing', async () => {
    expect(await wholeRefusals('[1]')).toEqual([
      ': must be a configuration: apiVersion: sailmark.dev/v1alpha1, kind: Configuration, and its keys, got a list',
    ]);
    expect(await wholeRefusals('apiVersion: v1\nkind: ConfigMap')).toEqual([
      'apiVersion: must be sailmark.dev/v1alpha1',
      'kind: must be Configuration',
    ]);
    expect(await wholeRefusals('tagMemory: 10s')).toEqual([
      'apiVersion: is missing: it must be sailmark.dev/v1alpha1',
      'kind: is missing: it must be Configuration',
    ]);
  });
});

describe('places that the API server could not tell from others', () => {
  it('are refused, because their images would start unseen', async () => {
    const many = Array.from({ length: 40 }, (_, index) => `${'x'.repeat(50)}${index}.example/mesh`);
    expect((await refusals(`hubs: [${many.join(', ')}]`))[0]).toMatch(
      /^hubs: makes the match condition cost more than the API server allows for a large pod: .* \(x{50}\d+\.example\/mesh\)$/,
    );
    const mirrors = many.map((mirror) => `{mirror: ${mirror}, of: istio}`).join(', ');
    expect((await refusals(`mirrors: [${mirrors}]`))[0]).toMatch(/^mirrors\[\d+\]\.mirror: makes the match/);
  });
});

describe('keys of a file', () => {
  it('are refused where they are unknown, with the nearest known one', async () => {
    expect(
      await refusals(
        'mirors: []\nhub: [x]\n__proto__: 1\nserver: {listn: x}\nmirrors: [{mirror: a.example/b, off: docker.io/istio}]',
      ),
    ).toEqual([
      '__proto__: is not a known key',
      'hub: is not a known key: did you mean hubs?',
      'mirors: is not a known key: did you mean mirrors?',
      'mirrors[0].of: is missing: it must be a registry and a path, such as registry.corp.example/istio',
      'mirrors[0].off: is not a known key: did you mean of?',
      'server.listn: is not a known key: did you mean listen?',
    ]);
  });

  it('are refused where their value is of another kind, and nothing is coerced', async () => {
    expect(
      await refusals(`
requirePinnedKeys: yes
hubs: docker.io/istio
replaceHubs: "true"
lookAlikes: warning
tagMemory:
revoked: {}
server: {listen: 8443, log: {level: verbose}}`),
    ).toEqual([
      'requirePinnedKeys: must be true or false',
      'hubs: must be a list',
      'replaceHubs: must be true or false',
      'lookAlikes: must be one of deny, warn, ignore',
      'revoked: must be a list, got a mapping',
      `tagMemory: must be ${DURATION}, got nothing: remove the key to use its default`,
      'server.listen: must be host:port, such as 0.0.0.0:8443 or [::]:8443, or :8443 for every address, got the number 8443: put it in quotes',
      'server.log.level: must be one of trace, debug, info, warn, error, fatal, silent',
    ]);
  });
});

describe('places', () => {
  it('are refused where they are none, and for what follows from that too', async () => {
    expect(
      await refusals(`
hubs: ["docker.io/istio:1.28", https://a.example/b]
mirrors:
- {mirror: docker.io/istio, of: docker.io/istio}
- {mirror: registry.istio.io/release, of: docker.io/istio}
- {mirror: c.example/istio, of: docker.io/istoi}
- {mirror: D.example/istio, of: istio}
- {mirror: d.example/istio, of: gcr.io/istio-testing}`),
    ).toEqual([
      expect.stringMatching(/^hubs\[0\]: must be a registry and a path.*tag/),
      expect.stringMatching(/^hubs\[1\]: must be a registry and a path.*URL/),
      'mirrors[0].mirror: must not be a hub itself, and docker.io/istio is one',
      'mirrors[1].mirror: must not be a hub itself, and registry.istio.io/release is one',
      expect.stringMatching(
        /^mirrors\[2\]\.of: must be a hub of this configuration: one of docker\.io\/istio, .*, or add it to hubs$/,
      ),
      'mirrors[4].mirror: must be listed once, and d.example/istio already is',
    ]);
  });

  it('are refused where none is left', async () => {
    expect(await refusals('replaceHubs: true')).toEqual([
      'replaceHubs: leaves no hub: list at least one in hubs',
    ]);
  });
});

describe('signing keys', () => {
  it('are refused where an entry is not exactly one, or more than its kind has', async () => {
    expect(
      await refusals(`
keys:
- {}
- {istio: release, file: a}
- {istio: releases}
- {file: a, sha256: ${'a'.repeat(64)}}
- {url: https://a.example/k, sha256: abc}
- 5`),
    ).toEqual([
      'keys[0]: must have exactly one of istio, file, url, inline',
      'keys[1]: must have exactly one of istio, file, url, inline',
      'keys[2].istio: must be release',
      'keys[3]: has sha256, which has no effect without url: remove it',
      'keys[4].sha256: must be the SHA-256 of the SubjectPublicKeyInfo, 64 hexadecimal digits',
      'keys[5]: must be a key: {istio: release}, {file: …}, {url: …, sha256: …} or {inline: …}, got the number 5',
    ]);
    expect(await refusals('keys: []')).toEqual([
      'keys: must have at least one entry; a key that is optional can be removed instead',
    ]);
  });

  it('are refused where a URL is not https, or says more than where', async () => {
    expect(
      await refusals(`
keys:
- url: http://a.example/k
- url: https://user:word@a.example/k
- url: https://a.example/k#sha256=1
- url: https://`),
    ).toEqual([
      'keys[0].url: must be an https URL',
      'keys[1].url: must not contain credentials',
      'keys[2].url: must not have a fragment: write the pin as sha256, beside url',
      'keys[3].url: must be an https URL',
    ]);
  });

  it('are refused where they are in a Secret, the environment or a KMS, or are a key where its path belongs', async () => {
    const pem = createSigner().publicPem;
    const keys = [
      { file: 'k8s://cosign/release' },
      { url: 'awskms:///alias/release' },
      { inline: 'env://KEY' },
    ];
    expect(await refusals(`keys: ${JSON.stringify([...keys, { file: pem }])}`)).toEqual([
      expect.stringMatching(
        /^keys\[0\]\.file: must be the path of a key: it is in a Secret of Kubernetes, .*`kubectl/,
      ),
      expect.stringMatching(
        /^keys\[1\]\.url: must be an https URL: the key is in a key management .*`cosign public-key/,
      ),
      expect.stringMatching(
        /^keys\[2\]\.inline: must be a PEM .*: it is in an environment variable, .*`printenv/,
      ),
      'keys[3].file: must be the path of a key: it is given as text, where its location is expected: write it to a file, or give it as inline',
    ]);
  });

  it('are refused where an inline key is none, or is private', async () => {
    const { key } = createTls();
    expect(await refusals(`keys:\n- inline: nonsense\n- inline: ${JSON.stringify(key)}`)).toEqual([
      expect.stringMatching(/^keys\[0\]\.inline: must be a PEM public key, a JWK or a JWKS: it /),
      expect.stringMatching(/^keys\[1\]\.inline: must be a PEM public key, a JWK or a JWKS: it .*private/i),
    ]);
  });

  it('are refused where they are limited to a place that is not there', async () => {
    expect(
      await refusals('keys: [{file: a, for: [a.example/istio, istio, "x:y:z"]}, {file: b, for: []}]'),
    ).toEqual([
      expect.stringMatching(
        /^keys\[0\]\.for\[0\]: must be a hub or mirror of this configuration: one of docker\.io\/istio, /,
      ),
      expect.stringMatching(/^keys\[0\]\.for\[2\]: must be a registry and a path/),
      'keys[1].for: must have at least one entry; a key that is optional can be removed instead',
    ]);
  });

  it("are refused without a pin where pins are required, Istio's second one too", async () => {
    expect(
      await refusals('requirePinnedKeys: true\nkeys: [{istio: release}, {url: https://a.example/k}]'),
    ).toEqual([
      'keys[0]: has no pin, which requirePinnedKeys requires: its key https://istio.io/misc/istio-key-v2.pub is known by that URL alone. List the keys separately, after checking each: {file: …}, or {url: https://istio.io/misc/istio-key-v2.pub, sha256: …}',
      'keys[1]: has no pin, which requirePinnedKeys requires: add the SHA-256 of its SubjectPublicKeyInfo as sha256',
    ]);
    expect(await refusals('requirePinnedKeys: true')).toHaveLength(1);
  });
});

describe('registries', () => {
  it('are refused where a host is none or stands twice, or a realm is none', async () => {
    expect(
      await refusals(`
registries:
- {host: docker.io}
- {host: index.docker.io}
- {host: https://a.example}
- {host: a.example/path}
- {host: istio}
- {host: b.example, tokenRealms: [sso.corp.example, https://c.example, c.example/token]}`),
    ).toEqual([
      'registries[1].host: must be listed once, and docker.io already is',
      ...[2, 3, 4].map(
        (index) =>
          `registries[${index}].host: must be a registry host, with its port if it has one, and no scheme or path`,
      ),
      'registries[5].tokenRealms[1]: must be a host, with its port if it has one, and no scheme or path',
      'registries[5].tokenRealms[2]: must be a host, with its port if it has one, and no scheme or path',
    ]);
  });

  it('are refused where their files are not there or hold something else', async () => {
    const { ca, key } = createTls();
    const damaged = ca.replace(/\n.{8}/, '\nAAAAAAAA');
    const files = {
      '/ca': ca,
      '/key': key,
      '/both': `${ca}${key}`,
      '/damaged': `${ca}${damaged}`,
      '/text': 'x',
      '/list': '[]',
    };
    expect(
      await refusals(
        `registries:\n${['/nowhere', '/key', '/both', '/damaged', '/text']
          .map((path, index) => `- {host: ca${index}.example, caFile: ${path}}\n`)
          .join('')}${['/nowhere', '/text', '/list']
          .map((path, index) => `- {host: config${index}.example, credentials: {dockerConfig: ${path}}}\n`)
          .join('')}- {host: plain.example, plainHTTP: true, caFile: /ca}`,
        files,
      ),
    ).toEqual([
      "registries[0].caFile: cannot be read: ENOENT: no such file or directory, open '/nowhere'",
      'registries[1].caFile: /key: expected certificates only, got a PRIVATE KEY',
      'registries[2].caFile: /both: expected certificates only, got a PRIVATE KEY',
      'registries[3].caFile: /damaged: certificate 2 is malformed',
      'registries[4].caFile: /text: no PEM certificate found',
      "registries[5].credentials.dockerConfig: cannot be read: ENOENT: no such file or directory, open '/nowhere'",
      'registries[6].credentials.dockerConfig: /text is not a docker config.json: it is not valid JSON',
      'registries[7].credentials.dockerConfig: /list is not a docker config.json: it is not a JSON object',
      'registries[8].caFile: has no effect while plainHTTP is true: remove one of them',
    ]);
  });
});

describe('rules', () => {
  it('are refused where an exemption is not whole', async () => {
    expect(await refusals('exemptions: [{images: ["docker.io/istio/*"]}]')).toEqual([
      'exemptions[0].expires: is missing: it must be a date, such as 2027-03-01',
      'exemptions[0].namespaces: is missing: it must be a list',
      'exemptions[0].owner: is missing: it must be a string that is not empty',
      'exemptions[0].reason: is missing: it must be a string that is not empty',
    ]);
  });

  it('are refused where a pattern, a namespace or a date matches nothing', async () => {
    expect(
      await refusals(`
exemptions:
- images: ["*.example/istio/pilot", istio/pilot, "docker.io//pilot"]
  namespaces: ["team-*", Shop, "*"]
  reason: r
  owner: o
  expires: 2027-02-30
- {images: [docker.io/istio/pilot], namespaces: [a], reason: r, owner: "", expires: tomorrow}`),
    ).toEqual([
      'exemptions[0].expires: must be a day of the calendar, such as 2027-03-01',
      'exemptions[0].images[0]: must have a literal host: * matches within one path segment',
      'exemptions[0].images[1]: must be in normal form, with its registry: docker.io/istio/proxyv2:1.11.*',
      'exemptions[0].images[2]: has an empty path segment',
      'exemptions[0].namespaces: must not list names beside *, which is all namespaces: remove them or the *',
      'exemptions[0].namespaces[0]: must be the whole name of a namespace, or * for all: parts of names are not matched',
      'exemptions[0].namespaces[1]: must be the whole name of a namespace, or * for all: parts of names are not matched',
      'exemptions[1].expires: must be a date, such as 2027-03-01',
      'exemptions[1].owner: must be a string that is not empty',
    ]);
  });

  it('are refused where a revoked digest is none, an outage choice or a window is unknown', async () => {
    expect(
      await refusals(`
revoked: [{digest: "sha512:abc", reason: r}, {digest: "sha256:${'A'.repeat(64)}", reason: r}]
undetermined: {enforce: alow, critical: allow, tagOutageWindow: 31h}
tagMemory: 2h`),
    ).toEqual([
      'undetermined.enforce: must be one of deny, allow-verified-tag, allow: did you mean allow?',
      'revoked[0].digest: must be sha256: and 64 lower-case hexadecimal digits',
      'revoked[1].digest: must be sha256: and 64 lower-case hexadecimal digits',
      'tagMemory: must be from 0 to 1h',
    ]);
    expect(await refusals('undetermined: {tagOutageWindow: 721h}')).toEqual([
      'undetermined.tagOutageWindow: must be from 0 to 720h',
    ]);
  });
});

describe('the server', () => {
  it('is refused where an address is none, or both are one', async () => {
    expect(await refusals('server: {listen: "8443:", probes: "::1:8081", certificate: {cert: a}}')).toEqual([
      'server.certificate.key: is missing: it must be the path of a file',
      'server.listen: must be host:port, such as 0.0.0.0:8443 or [::]:8443, or :8443 for every address',
      'server.probes: must be host:port, such as 0.0.0.0:8443 or [::]:8443, or :8443 for every address',
    ]);
    expect(await refusals('server: {listen: "0.0.0.0:65536", probes: "a/b:1"}')).toHaveLength(2);
    expect(await refusals('server: {listen: "[::]:1", probes: "[::]:1"}')).toEqual([
      'server.probes: must not be the address of server.listen',
    ]);
  });
});

describe('mirrors', () => {
  it('are refused where their names or the place of their signatures could mean another image', async () => {
    expect(
      await refusals(`
mirrors:
- {mirror: a.example/istio, of: docker.io/istio, components: {pilot: proxyv2, Mesh: ztunnel, a/b: pilot, mesh-b: envoy}}
- {mirror: b.example/istio, of: docker.io/istio, signatures: hubs}
- {mirror: c.example/istio, of: docker.io/istio, signatures: "c.example/signatures:1"}`),
    ).toEqual([
      'mirrors[0].components.Mesh: must be one lower-case path segment, the name of an image in the mirror',
      'mirrors[0].components.mesh-b: must be a component of Istio, such as pilot, proxyv2, install-cni or ztunnel',
      'mirrors[0].components.pilot: must not be the name of a component itself, and pilot is one',
      'mirrors[0].components["a/b"]: must be one lower-case path segment, the name of an image in the mirror',
      'mirrors[1].signatures: must be mirror, hub, mirror-then-hub, or a repository, such as registry.corp.example/signatures',
      'mirrors[2].signatures: must be mirror, hub, mirror-then-hub, or a repository, such as registry.corp.example/signatures: it has a tag; name the path that holds the images, not an image',
    ]);
  });
});

describe('evidence and the transparency log', () => {
  it('are refused where they are named twice, or mean nothing', async () => {
    expect(
      await refusals(`
evidence: {read: [/a, /b, /a, /c], write: /c}
trustedRoot: /root.json`),
    ).toEqual([
      'trustedRoot: has no effect while transparencyLog is ignore: remove it, or set transparencyLog: require',
      "trustedRoot: cannot be read: ENOENT: no such file or directory, open '/root.json'",
      'evidence.read[2]: must be listed once',
      'evidence.write: is read too: remove it from evidence.read',
    ]);
  });

  it('are refused where they are of another kind', async () => {
    expect(await refusals('transparencyLog: required\nevidence: /evidence')).toEqual([
      'transparencyLog: must be one of ignore, require: did you mean require?',
      'evidence: must be evidence: {read: [DIRECTORY], write: DIRECTORY}',
    ]);
  });
});
