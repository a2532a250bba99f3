import { describe, expect, it } from 'vitest';
import { type ImageReference, parseImageReference } from '../../src/image/index.ts';
import { withThirdParty } from '../support/third-party.ts';
import { normalFormOf } from './normal-form.ts';

const TABLES = 'reference-grammar';

const parse = (text: string): ImageReference => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.reference;
};
const isReference = (text: string): boolean => parseImageReference(text).ok;

/**
 * The rules of `normalize.go`, written again: which first segment is a host, and `library/`. sailmark also
 * lower-cases a host.
 */
const normalName = (name: string): string => {
  const [first = '', ...rest] = name.split('/');
  const host = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first));
  if (!host) return `docker.io/${rest.length === 0 ? 'library/' : ''}${name}`;
  const lower = /[.:]/.test(first) || first === 'localhost' ? first.toLowerCase() : first;
  return [lower, ...rest].join('/');
};

interface ParseRow {
  readonly input: string;
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly err?: string;
}

withThirdParty<readonly ParseRow[]>([TABLES, 'distribution-parse.json'], (rows) => {
  describe("distribution's table of references", () => {
    it.each(rows.filter(({ err }) => err !== undefined))('refuses $input', ({ input }) => {
      expect(isReference(input)).toBe(false);
    });

    it.each(rows.filter(({ err }) => err === undefined))(
      'splits $input',
      ({ input, repository: written, tag, digest }) => {
        const { repository, tag: version, digest: content } = parse(input);
        expect({ name: repository.name, version, content }).toEqual({
          name: normalName(written ?? ''),
          version: tag ?? (digest === undefined ? 'latest' : undefined),
          content: digest,
        });
      },
    );
  });
});

interface Normalize {
  readonly validNormalized: readonly string[];
  readonly invalidNormalized: readonly string[];
  readonly repositoryInfo: readonly Readonly<
    Record<'RemoteName' | 'FamiliarName' | 'FullName' | 'AmbiguousName' | 'Domain', string>
  >[];
  readonly TestParseAnyReference: readonly {
    readonly Reference: string;
    readonly Expected?: unknown;
    readonly Equivalent: string;
  }[];
  readonly TestNormalizedSplitHostname: readonly Readonly<Record<'input' | 'domain' | 'path', string>>[];
  readonly TestParseDockerRef: readonly Readonly<Record<'input' | 'expected', string>>[];
}

withThirdParty<Normalize>([TABLES, 'distribution-normalize.json'], (table) => {
  describe("distribution's tables of normal forms", () => {
    it.each(table.invalidNormalized)('refuse %s', (input) => {
      expect(isReference(input)).toBe(false);
    });

    it.each(table.validNormalized)('take %s', (input) => {
      expect(isReference(input)).toBe(true);
    });

    it.each(
      table.repositoryInfo.flatMap((row) =>
        [row.FamiliarName, row.FullName, row.AmbiguousName]
          .filter((input) => input !== '')
          .map((input) => ({ ...row, input })),
      ),
    )('name $input $FullName', ({ input, RemoteName, FullName, Domain }) => {
      expect(parse(input).repository).toEqual({ registry: Domain, path: RemoteName, name: FullName });
    });

    it.each(table.TestNormalizedSplitHostname)('split $input', ({ input, domain, path }) => {
      const { repository } = parse(input);
      expect({ domain: repository.registry, path: repository.path }).toEqual({ domain, path });
    });

    it.each(table.TestParseDockerRef)('write $input as $expected', ({ input, expected }) => {
      const reference = parse(input);
      // There a digest drops the tag; here the tag stays for display, and has no effect.
      const counted = reference.digest === undefined ? reference : { ...reference, tag: undefined };
      expect(normalFormOf(counted)).toBe(expected);
    });

    it.each(table.TestParseAnyReference.filter(({ Expected }) => Expected === undefined))(
      'write $Reference as $Equivalent',
      ({ Reference, Equivalent }) => {
        expect(normalFormOf(parse(Reference))).toBe(normalFormOf(parse(Equivalent)));
      },
    );

    it.each(table.TestParseAnyReference.filter(({ Expected }) => Expected !== undefined))(
      'name an image id, which is no reference here: $Reference',
      ({ Reference }) => {
        expect(isReference(Reference)).toBe(false);
      },
    );
  });
});

interface RegexpRow {
  readonly input: string;
  readonly match: boolean;
  readonly subs?: readonly string[];
}

withThirdParty<
  Readonly<Record<'TestDomainRegexp' | 'TestFullNameRegexp' | 'TestReferenceRegexp', RegexpRow[]>>
>([TABLES, 'distribution-regexp.json'], (table) => {
  describe("distribution's tables of productions", () => {
    // A name without a dot or a colon is a host by the production, and a path on Docker Hub by the normal form.
    it.each(table.TestDomainRegexp)('host $input: $match', ({ input, match }) => {
      expect(isReference(`${input}/x`)).toBe(match);
    });

    // A name has no tag: 'foo_bar.com:8080' matches only with 8080 as its tag.
    it.each(table.TestFullNameRegexp.filter(({ input }) => input !== 'foo_bar.com:8080'))(
      'name $input: $match',
      ({ input, match }) => {
        // A production has no limit of length; a reference has, and on Docker Hub the first segment counts too.
        const path = normalName(input).replace(/^[^/]*\//, '');
        const parsed = parseImageReference(input);
        expect(parsed.ok && parsed.reference.repository.name).toBe(
          match && path.length <= 255 && normalName(input),
        );
      },
    );

    it.each(table.TestReferenceRegexp)('reference $input: $match', ({ input, match, subs = [] }) => {
      expect(isReference(input)).toBe(match);
      if (!match) return;
      const [name = '', tag, digest] = subs;
      const reference = parse(input);
      expect([reference.repository.name, reference.tag, reference.digest]).toEqual([
        normalName(name),
        tag || (digest ? undefined : 'latest'),
        digest || undefined,
      ]);
    });
  });
});

const GOOD = [
  'digest.goodStrictValidationDigestNames',
  'digest.goodStrictValidationTagDigestNames',
  'digest.goodWeakValidationDigestNames',
  'digest.goodWeakValidationTagDigestNames',
  'repository.goodStrictValidationRepositoryNames',
  'repository.goodWeakValidationRepositoryNames',
  'tag.goodStrictValidationTagNames',
  'tag.goodWeakValidationTagNames',
] as const;
const BAD = ['digest.badDigestNames', 'repository.badRepositoryNames', 'tag.badTagNames'] as const;

withThirdParty<Readonly<Record<(typeof GOOD)[number] | (typeof BAD)[number], readonly string[]>>>(
  [TABLES, 'go-containerregistry-name.json'],
  (table) => {
    describe("go-containerregistry's tables of names", () => {
      it.each(BAD.flatMap((key) => table[key]))('refuse %s', (input) => {
        expect(isReference(input)).toBe(false);
      });

      it.each(GOOD.flatMap((key) => table[key]))('take %s', (input) => {
        expect(isReference(input)).toBe(true);
      });
    });
  },
);
