import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

/** One line of the API server's own audit log (audit.k8s.io/v1), as far as tests look at it. */
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
  /** A webhook's are `<name of its entry>/<key>`. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Every request that was answered, with its audit annotations; but for what the control plane's own parts read, and
 * without bodies.
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

/** Reads the log at `path`. */
export interface AuditLog {
  all(): Promise<readonly AuditEvent[]>;
  /** The first event for which `is` holds; it is waited for, as the log is written after the answer. */
  find(what: string, is: (event: AuditEvent) => boolean): Promise<AuditEvent>;
}

export const openAuditLog = (path: string): AuditLog => {
  const all = async (): Promise<readonly AuditEvent[]> => {
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AuditEvent);
  };
  return {
    all,
    find: (what, is) =>
      until(`in the audit log: ${what}`, async () => (await all()).find(is), { seconds: 10 }),
  };
};
