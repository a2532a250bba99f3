import type { Cluster } from '../../kubernetes/index.ts';

/** A kind of report that sailmark writes: the body is the same in both. */
export interface ReportKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

/** The kinds of namespaced reports, the preferred one first: OpenReports is the successor of the other. */
const REPORT_KINDS: readonly ReportKind[] = [
  { group: 'openreports.io', version: 'v1alpha1', plural: 'reports', kind: 'Report' },
  { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports', kind: 'PolicyReport' },
];

interface FoundKind {
  /** Undefined: the cluster has none. */
  readonly kind: ReportKind | undefined;
  /** Kinds that are there too, and in which an earlier scan may have written. */
  readonly others: readonly ReportKind[];
  /** One sentence for each group that is there in versions that sailmark does not write, or for that there is none. */
  readonly problems: readonly string[];
}

const nameOf = ({ group, version, kind }: ReportKind): string => `${group}/${version} ${kind}`;

/** Finds the kind of report to write, with the discovery that every account may read. Rejects with a `ClusterFault`. */
export const findReportKind = async (
  cluster: Pick<Cluster, 'findApi'>,
  signal: AbortSignal,
): Promise<FoundKind> => {
  const served: ReportKind[] = [];
  const problems: string[] = [];
  for (const kind of REPORT_KINDS) {
    const found = await cluster.findApi(kind, signal);
    if (found === 'served') served.push(kind);
    if (found === 'other-version')
      problems.push(
        `${kind.group} is installed, but not in the version ${kind.version} that sailmark writes: no reports are written there`,
      );
  }
  const [kind, ...others] = served;
  if (kind === undefined)
    problems.push(
      `the cluster has neither ${REPORT_KINDS.map(nameOf).join(' nor ')}: install one of them to have reports`,
    );
  return { kind, others, problems };
};
