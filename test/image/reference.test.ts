import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParsedReference, parseImageReference } from '../../src/image/index.ts';
import { normalFormOf } from './normal-form.ts';

const HEX = 'e6693c20186f837fc393390135d8a598a96a833917917789d63766cab6c59582';
const DIGEST = `sha256:${HEX}`;

const problemOf = (parsed: ParsedReference): string | undefined => (parsed.ok ? undefined : parsed.problem);

const PATH = 'the path must be lower-case names separated by single "/"';
const TAG =
  'the tag must be 1 to 128 letters, digits, "_", "." or "-", starting with a letter, a digit or "_"';
const HOST = 'the part before the first "/" is neither a host nor a lower-case name';
const DIGEST_PROBLEM = 'the digest must be sha256: followed by 64 lower-case hexadecimal digits';
const FOREIGN = 'the text contains a space, a control character or a character outside ASCII';
const ID = 'the text is the ID of an image on a node, which names no repository';

describe('a text that is no reference is refused with its problem', () => {
  it.each([
    ['nothing', '', 'the text is empty'],
    ['4097 characters', 'a/'.repeat(2048) + 'a', 'the text is longer than 4096 characters'],
    ['a path of 256 characters', `gcr.io/${'a'.repeat(256)}`, 'the path is longer than 255 characters'],
    ['a path of 256 with library/', 'a'.repeat(248), 'the path is longer than 255 characters'],
    ['a space before', ' istio/proxyv2:1.28.0', FOREIGN],
    ['a space behind', 'istio/proxyv2:1.28.0 ', FOREIGN],
    ['a line feed behind', 'istio/proxyv2:1.28.0\n', FOREIGN],
    ['a tab within', 'istio/\tproxyv2', FOREIGN],
    ['a NUL', 'istio/proxyv2\0', FOREIGN],
    ['an escape sequence', '\u001b[31mistio/proxyv2', FOREIGN],
    ['a no-break space', 'istio/proxyv2\u00a0', FOREIGN],
    ['a Cyrillic o', 'istiо/proxyv2', FOREIGN],
    ['a full-width slash', 'istio／proxyv2', FOREIGN],
    ['a zero-width joiner', 'istio\u200d/proxyv2', FOREIGN],
    ['a Kelvin sign, which lower-cases to k', 'doc\u212aer.io/istio/proxyv2', FOREIGN],
    ['a dotted capital I', '\u0130stio/proxyv2', FOREIGN],
    ['a lone surrogate', 'istio/\ud800', FOREIGN],
    ['a URL', 'https://docker.io/istio/proxyv2', 'the text is a URL; remove the scheme'],
    ['an OCI URL', 'oci://docker.io/istio/proxyv2', 'the text is a URL; remove the scheme'],
    ['a template', '{{.ProxyImage}}', PATH],
    ['a bare image id', HEX, ID],
    ['an image id with its algorithm', DIGEST, ID],
    ['a digest without a name', `@${DIGEST}`, PATH],
    ['a tag without a name', ':1.28.0', PATH],
    ['no path behind a host', 'docker.io/', PATH],
    ['a slash before', '/proxyv2:1.28.0', PATH],
    ['a slash behind', 'istio/proxyv2/', PATH],
    ['two slashes', 'istio//proxyv2', PATH],
    ['a dot segment', 'docker.io/../istio/proxyv2', PATH],
    ['a percent escape', 'docker.io/istio%2fproxyv2', PATH],
    ['a backslash', 'docker.io\\istio\\proxyv2', PATH],
    ['a query', 'docker.io/istio/proxyv2?x', PATH],
    ['capitals in the path', 'docker.io/istio/ProxyV2', 'the path contains capital letters'],
    ['capitals and no host', 'Proxyv2', 'the path contains capital letters'],
    ['three underscores', 'istio/proxy___v2', PATH],
    ['two dots', 'istio/proxy..v2', PATH],
    ['a hyphen behind', 'istio/proxyv2-', PATH],
    ['a host that begins with a hyphen', '-docker.io/istio/proxyv2', HOST],
    ['a host that ends with a dot', 'docker.io./istio/proxyv2', HOST],
    ['a host with a user', 'user:word@docker.io/istio/proxyv2', DIGEST_PROBLEM],
    ['a host with an underscore and a port', 'my_registry:5000/istio', HOST],
    ['a port that is no number', 'docker.io:http/istio/proxyv2', HOST],
    ['an empty port', 'docker.io:/istio/proxyv2', HOST],
    ['an IPv6 address without brackets', 'fc00::1:5000/istio', HOST],
    ['an IPv6 address with a zone', '[fe80::1%eth0]:5000/istio', HOST],
    ['an IPv6 address and no path', '[::1]:5000', PATH],
    ['an empty tag', 'istio/proxyv2:', TAG],
    ['an empty tag before a digest', `istio/proxyv2:@${DIGEST}`, TAG],
    ['a tag that begins with a dot', 'istio/proxyv2:.1', TAG],
    ['a tag of 129 characters', `istio/proxyv2:${'1'.repeat(129)}`, TAG],
    ['two tags', 'istio/proxyv2:1:2', TAG],
    ['an empty digest', 'istio/proxyv2@', DIGEST_PROBLEM],
    ['a short digest', 'istio/proxyv2@sha256:e6693c20', DIGEST_PROBLEM],
    ['a long digest', `istio/proxyv2@${DIGEST}0`, DIGEST_PROBLEM],
    ['a digest in capitals', `istio/proxyv2@sha256:${HEX.toUpperCase()}`, DIGEST_PROBLEM],
    ['an algorithm in capitals', `istio/proxyv2@SHA256:${HEX}`, DIGEST_PROBLEM],
    ['an unknown algorithm', `istio/proxyv2@md5:${HEX}`, DIGEST_PROBLEM],
    ['two digests', `istio/proxyv2@${DIGEST}@${DIGEST}`, DIGEST_PROBLEM],
    [
      'a sha512 digest',
      `istio/proxyv2@sha512:${HEX}${HEX}`,
      'the digest is sha512, but signatures cover sha256 digests only',
    ],
    [
      'a sha384 digest beside a tag',
      `istio/proxyv2:1.28.0@sha384:${HEX}${HEX.slice(32)}`,
      'the digest is sha384, but signatures cover sha256 digests only',
    ],
  ])('%s', (_, text, problem) => {
    expect(parseImageReference(text)).toEqual({ ok: false, problem });
  });

  it('in one printable line, however odd the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(problemOf(parseImageReference(text)) ?? 'fine').toMatch(/^[\x20-\x7e]{4,120}$/);
      }),
    );
  });
});

describe('an odd reference is read as Docker reads it', () => {
  it.each([
    ['auto, which Istio replaces', 'auto', 'docker.io/library/auto:latest'],
    ['no host', 'istio/proxyv2:1.28.0', 'docker.io/istio/proxyv2:1.28.0'],
    ['no tag', 'istio/proxyv2', 'docker.io/istio/proxyv2:latest'],
    ['the old name of Docker Hub', 'index.docker.io/istio/proxyv2:1', 'docker.io/istio/proxyv2:1'],
    ['the old name and no path', 'index.docker.io/debian', 'docker.io/library/debian:latest'],
    [
      'another name of Docker Hub',
      'registry-1.docker.io/istio/pilot:1',
      'registry-1.docker.io/istio/pilot:1',
    ],
    ['Docker Hub with a port, which is another host', 'docker.io:443/a', 'docker.io:443/a:latest'],
    ['capitals in the host', 'DOCKER.IO/istio/proxyv2:1', 'docker.io/istio/proxyv2:1'],
    ['capitals in the host and no path', 'Index.Docker.IO/debian', 'docker.io/library/debian:latest'],
    ['a host that only capitals make one', 'FOO/bar:1', 'FOO/bar:1'],
    ['LOCALHOST', 'LOCALHOST/bar:1', 'localhost/bar:1'],
    ['capitals in the tag', 'bar:V1-RC', 'docker.io/library/bar:V1-RC'],
    ['a port', 'localhost:5000/x/istio:1', 'localhost:5000/x/istio:1'],
    ['a port, or rather a tag', 'localhost:5000', 'docker.io/library/localhost:5000'],
    ['an IPv6 address', '[2001:DB8::1]:5000/repo:tag', '[2001:db8::1]:5000/repo:tag'],
    ['63 hexadecimal digits', HEX.slice(1), `docker.io/library/${HEX.slice(1)}:latest`],
    ['a tag of 64 hexadecimal digits', `x/sha256:${HEX}`, `docker.io/x/sha256:${HEX}`],
    ['a digest', `istio/proxyv2@${DIGEST}`, `docker.io/istio/proxyv2@${DIGEST}`],
    ['a tag and a digest', `istio/proxyv2:1@${DIGEST}`, `docker.io/istio/proxyv2:1@${DIGEST}`],
    ['a path of 255 characters', `gcr.io/${'a'.repeat(255)}`, `gcr.io/${'a'.repeat(255)}:latest`],
    ['a host as a path', 'evil.com/docker.io/istio/proxyv2:1', 'evil.com/docker.io/istio/proxyv2:1'],
  ])('%s', (_, text, normal) => {
    const parsed = parseImageReference(text);
    expect(parsed.ok ? normalFormOf(parsed.reference) : parsed.problem).toBe(normal);
  });

  it('with all its parts', () => {
    expect(parseImageReference(`Registry.Corp.example:5000/mesh/istio/proxyv2:1.28.0@${DIGEST}`)).toEqual({
      ok: true,
      reference: {
        text: `Registry.Corp.example:5000/mesh/istio/proxyv2:1.28.0@${DIGEST}`,
        repository: {
          registry: 'registry.corp.example:5000',
          path: 'mesh/istio/proxyv2',
          name: 'registry.corp.example:5000/mesh/istio/proxyv2',
        },
        tag: '1.28.0',
        digest: DIGEST,
      },
    });
  });

  it('with no tag where a digest is written alone', () => {
    expect(parseImageReference(`debian@${DIGEST}`)).toEqual({
      ok: true,
      reference: {
        text: `debian@${DIGEST}`,
        repository: { registry: 'docker.io', path: 'library/debian', name: 'docker.io/library/debian' },
        tag: undefined,
        digest: DIGEST,
      },
    });
  });
});

const segment = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const host = fc.oneof(
  fc.constantFrom('docker.io', 'index.docker.io', 'localhost', 'FOO', 'Docker.io', '[::1]', '[FC00::1]:5000'),
  fc.stringMatching(/^[a-zA-Z0-9]{1,5}(-[a-zA-Z0-9]{1,3})?(\.[a-z]{2,3}){0,2}(:[0-9]{1,5})?$/),
);
const reference = fc
  .record({
    host: fc.option(host),
    path: fc.array(segment, { minLength: 1, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)),
    digest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
  })
  .map((parts) => {
    // A first segment with a dot would be a host, and not every segment can be one.
    const name = [parts.host ?? 'plain', ...parts.path].join('/');
    const tagged = parts.tag === null ? name : `${name}:${parts.tag}`;
    return parts.digest === null ? tagged : `${tagged}@sha256:${parts.digest}`;
  });
const noise = fc.string({
  unit: fc.constantFrom(...Array.from('aAz09._-/:@[]%~ é\0\n'), 'sha256:', 'docker.io'),
  maxLength: 60,
});

describe('whatever is parsed', () => {
  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: 'binary' }), reference), (text) => {
        expect(typeof parseImageReference(text).ok).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  it('has a normal form that is parsed to the same parts, and is its own normal form', () => {
    fc.assert(
      fc.property(fc.oneof(reference, noise), (text) => {
        const parsed = parseImageReference(text);
        if (!parsed.ok) return;
        const normal = normalFormOf(parsed.reference);
        expect(parseImageReference(normal)).toEqual({
          ok: true,
          reference: { ...parsed.reference, text: normal },
        });
      }),
      { numRuns: 5000 },
    );
  });

  it('is a reference wherever the grammar made it', () => {
    fc.assert(
      fc.property(reference, (text) => {
        expect(problemOf(parseImageReference(text))).toBe(undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['labels of a host', `${'a-'.repeat(2000)}.b/x`],
    ['dots of a host', `${'a.'.repeat(2000)}/x`],
    ['colons of an address', `[${':'.repeat(4000)}/x`],
    ['separators of a path', `a.b/${'a-'.repeat(120)}!`],
    ['digits of a port', `a.b:${'1'.repeat(4000)}x/y`],
  ])('takes no time for hostile %s', (_, text) => {
    const start = performance.now();
    for (let count = 0; count < 100; count++) parseImageReference(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
