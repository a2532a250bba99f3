import { releaseTag } from './signing-eras.ts';

/** A minor version of Istio and the end of its support. */
interface Support {
  readonly version: string;
  /** The day that Istio announced; undefined: it has announced none. */
  readonly ended?: string;
  /** The month that Istio expects, of a version whose day is not announced. */
  readonly expected?: string;
}

/*
 * Source: istio/istio.io `data/compatibility/supportStatus.yml`, the table of istio.io/latest/docs/releases/supported-releases,
 * and the announcements in `content/en/news/support/announcing-<version>-eol*` (1.27, 1.28, 1.29). The policy: until six
 * weeks after the second next minor version. As of November 2026 no day is announced for 1.30 and later.
 */
const support: readonly Support[] = [
  { version: '1.6', ended: '2020-11-21' },
  { version: '1.7', ended: '2021-02-25' },
  { version: '1.8', ended: '2021-05-12' },
  { version: '1.9', ended: '2021-10-08' },
  { version: '1.10', ended: '2022-01-07' },
  { version: '1.11', ended: '2022-03-25' },
  { version: '1.12', ended: '2022-07-12' },
  { version: '1.13', ended: '2022-10-12' },
  { version: '1.14', ended: '2022-12-27' },
  { version: '1.15', ended: '2023-04-04' },
  { version: '1.16', ended: '2023-07-25' },
  { version: '1.17', ended: '2023-10-27' },
  { version: '1.18', ended: '2024-01-04' },
  { version: '1.19', ended: '2024-04-24' },
  { version: '1.20', ended: '2024-06-25' },
  { version: '1.21', ended: '2024-09-27' },
  { version: '1.22', ended: '2025-01-22' },
  { version: '1.23', ended: '2025-04-16' },
  { version: '1.24', ended: '2025-06-24' },
  { version: '1.25', ended: '2025-09-30' },
  { version: '1.26', ended: '2025-12-22' },
  { version: '1.27', ended: '2026-04-07' },
  { version: '1.28', ended: '2026-06-28' },
  { version: '1.29', ended: '2026-10-12' },
  { version: '1.30', expected: '2027-01' },
  { version: '1.31', expected: '2027-02' },
];

const byVersion: ReadonlyMap<string, Support> = new Map(support.map((row) => [row.version, row]));

/** The support of a minor version on a day. Null: not known. */
export interface SupportState {
  /** The announced last day, `2026-10-12`. */
  readonly ends: string | null;
  readonly supported: boolean | null;
  /** The month in which Istio expects the end, if no day is announced. */
  readonly expected: string | null;
}

const UNKNOWN: SupportState = { ends: null, supported: null, expected: null };

/** The versions that the table of Istio names as unsupported with no day: `1.5 and earlier`. */
const isBeforeTable = (version: string): boolean => /^(?:0\.\d+|1\.[0-5])$/.test(version);

/**
 * Returns what is known of the support of `1.28` on a day, `2026-11-30`. A version that the table lacks is not known, and
 * one that is only expected to end is not known any more from the expected month on.
 */
export const supportOf = (version: string, today: string): SupportState => {
  if (isBeforeTable(version)) return { ends: null, supported: false, expected: null };
  const row = byVersion.get(version);
  if (row?.ended !== undefined) return { ends: row.ended, supported: today <= row.ended, expected: null };
  if (row?.expected === undefined) return UNKNOWN;
  return { ends: null, supported: today < row.expected ? true : null, expected: row.expected };
};

/** Returns the versions that are known to be supported on a day, the oldest first. */
export const supportedVersions = (today: string): readonly string[] =>
  support.map(({ version }) => version).filter((version) => supportOf(version, today).supported === true);

/** An Istio release, `1.31.0-rc.0` or `1.28.1`, without its variant. */
export interface IstioRelease {
  readonly release: string;
  /** `1.28`. */
  readonly version: string;
  /** Major, minor, patch. */
  readonly numbers: readonly [number, number, number];
}

/** Parses the tag of a release, with its variant (`1.28.1-distroless`); undefined for any other tag. */
export const parseRelease = (tag: string): IstioRelease | undefined => {
  const { release, major, minor } = releaseTag.exec(tag)?.groups ?? {};
  if (release === undefined || major === undefined || minor === undefined) return undefined;
  const patch = /^\d+\.\d+\.(\d+)/.exec(release)?.[1] ?? '';
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  return { release, version: `${numbers[0]}.${numbers[1]}`, numbers };
};

/** Compares minor versions (`1.9`, `1.10`) by their numbers, the oldest first. */
export const compareVersions = (left: string, right: string): number =>
  left.localeCompare(right, 'en', { numeric: true });

/** Images whose registry Istio gives up, by the beginning of their name. */
export interface RetiringHub {
  readonly hub: string;
  /** The first day on which it may be gone. */
  readonly from: string;
  /** When, for people. */
  readonly when: string;
}

const IN_DECEMBER = {
  from: '2026-12-01',
  when: 'in December 2026 (and from 2026-12-08 15:00 to 2026-12-09 15:00 UTC as a test)',
};

/*
 * Source: istio.io blog 2026, "retirement-of-gcp": both are decommissioned in December 2026, on a day that is not announced;
 * from 1.31 on images are published to docker.io/istio alone.
 */
export const retiringHubs: readonly RetiringHub[] = [
  { hub: 'gcr.io/istio-release', ...IN_DECEMBER },
  { hub: 'registry.istio.io', ...IN_DECEMBER },
];

/** The hub that keeps every release. */
export const lastingHub = 'docker.io/istio';

/** The second release key. Source: istio.io blog 2026, "retirement-of-gcp", table of signing keys: `1.31.1+`. */
export const secondKey = { url: 'https://istio.io/misc/istio-key-v2.pub', from: '1.31.1' } as const;

/** True for a release that Istio signs with its second key: 1.31.1 and later. */
export const needsSecondKey = ({ numbers: [major, minor, patch] }: IstioRelease): boolean =>
  major > 1 || (major === 1 && (minor > 31 || (minor === 31 && patch >= 1)));
