import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

/** One line of the API server's own audit log (audit.k8s.io/v1), limited to what tests read. */
export interface AuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly reason?: string; readonly message?: string };
  /** Keys of a webhook's annotations are `<name of its entry>/<key>`. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Logs every completed request with its audit annotations, without bodies. Leaves out reads by the control plane
 * itself.
 */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    {
      level: 'None',
      users: ['system:apiserver', 'system:kube-controller-manager'],
      verbs: ['get', 'list', 'watch'],
    },
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system'], verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata' },
  ],
};

export interface AuditLog {
  all(): Promise<readonly AuditEvent[]>;
  /** Waits for the first event that matches: the API server writes the log after it responds. */
  find(what: string, matches: (event: AuditEvent) => boolean): Promise<AuditEvent>;
}

/** Reads the log at `path`. The API server may be writing its last line: a line counts once it has its end. */
export const openAuditLog = (path: string): AuditLog => {
  const all = async (): Promise<readonly AuditEvent[]> => {
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AuditEvent);
  };
  return {
    all,
    find: (what, matches) =>
      until(`in the audit log: ${what}`, async () => (await all()).find(matches), { seconds: 10 }),
  };
};
