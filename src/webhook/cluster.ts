import type { ReportError } from '../base/index.ts';
import type { Address, Config, KubernetesSettings } from '../config/index.ts';
import { type Cluster, openCluster } from '../kubernetes/index.ts';
import { createEventLog, type EventLog, type Log, type Metrics } from '../observability/index.ts';
import type { Judge } from '../policy/index.ts';
import type { SharedObjects } from '../registry/index.ts';
import { type CertificateSource, checkTrust, createFileCertificates } from '../server/index.ts';
import { createActivation } from './activation/index.ts';
import { createClusterCertificates } from './cluster-certificates.ts';
import { followScan } from './follow-scan.ts';
import { warmUp } from './warm-up.ts';

/** Images that the warm-up verifies at the same time. */
const MAX_CONCURRENT_IMAGES = 4;

/** The webhook's connection to its own cluster. The webhook judges reviews without it, too. */
export interface ClusterConnection {
  /** Undefined if the configuration does not use the Kubernetes API, or there is no API to connect to. */
  readonly cluster: Cluster | undefined;
  readonly certificate: CertificateSource;
  /** The ConfigMaps in which replicas share evidence, if the configuration names them. */
  readonly sharedEvidence: SharedObjects | undefined;
  /** Summarises a review in Kubernetes Events, if the configuration enables them. */
  readonly recordEvents: EventLog['add'];
  /** Waits for the permission to put the webhook configuration in force, if that is configured. */
  readonly untilMayActivate: () => Promise<void>;
  /** Puts the webhook configuration in force, now that this replica is ready and listens on an address. */
  readonly activate: (listen: Address) => void;
  /** Verifies the images of running pods, within the time that the configuration sets. Never rejects. */
  readonly warmUp: (judge: Judge) => Promise<void>;
  /** Exposes the counts of the last scan from now on, if the configuration says where they are. */
  readonly followScan: () => void;
  /** Writes pending Events. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface ClusterDependencies {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly report: ReportError;
  /** Aborted when the process is to shut down. */
  readonly shutdown: AbortSignal;
  /** The pod's name. */
  readonly instance: string;
}

/** Shorter than the chart's startup probe allows. */
const UNREADABLE_WAIT_MS = 60_000;

/** Joins the cluster as the configuration allows. Sends no request, and never rejects. */
export const joinCluster = async (
  config: Config,
  dependencies: ClusterDependencies,
): Promise<ClusterConnection> => {
  const { log, metrics, report, shutdown, instance } = dependencies;
  const { kubernetes } = config;
  const mounted = createFileCertificates(config.server.certificate);
  const cluster = kubernetes === undefined ? undefined : await open(log);
  if (kubernetes === undefined || cluster === undefined) return withoutCluster(mounted);
  const {
    certificates: settings,
    activation: activates,
    events,
    evidence,
    scanResult,
    namespace,
  } = kubernetes;
  const openConfigMap = (name: string) => cluster.configMap(namespace, name);
  const eventLog = events
    ? createEventLog({ write: cluster.writeEvent, now: Date.now, report, metrics, instance })
    : undefined;
  const issued =
    settings && createClusterCertificates({ cluster, namespace, settings, mounted, log, metrics, shutdown });
  const activation =
    activates &&
    createActivation({
      object: cluster.webhooks(activates.webhookConfiguration),
      restoreTrust: issued?.restoreTrust,
      log,
      metrics,
      shutdown,
      unreadableWait: UNREADABLE_WAIT_MS,
    });
  return {
    cluster,
    certificate: issued?.source ?? mounted,
    sharedEvidence: evidence && {
      tags: openConfigMap(evidence.tags),
      images: evidence.images.map(openConfigMap),
    },
    recordEvents: (record) => eventLog?.add(record),
    untilMayActivate: async () => activation?.untilPermitted(),
    activate: (listen) => activation?.begin((client) => checkTrust(listen, client)),
    warmUp: (judge) => warmUpFromPods(cluster, judge, kubernetes, dependencies),
    followScan: () => scanResult && followScan(openConfigMap(scanResult), dependencies),
    async flush() {
      await eventLog?.close();
    },
    close: () => cluster.close(),
  };
};

const open = (log: Log): Promise<Cluster | undefined> =>
  openCluster({}).catch((err: unknown) => {
    log.warn({ err }, 'cannot connect to the Kubernetes API; reviews are judged without it');
    return undefined;
  });

const withoutCluster = (certificate: CertificateSource): ClusterConnection => ({
  cluster: undefined,
  certificate,
  sharedEvidence: undefined,
  recordEvents: () => {},
  untilMayActivate: () => Promise.resolve(),
  activate: () => {},
  followScan: () => {},
  warmUp: () => Promise.resolve(),
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

const warmUpFromPods = async (
  cluster: Cluster,
  judge: Judge,
  { warmUp: timeoutMs }: KubernetesSettings,
  { log, shutdown }: ClusterDependencies,
): Promise<void> => {
  if (timeoutMs === 0) return;
  const signal = AbortSignal.any([shutdown, AbortSignal.timeout(timeoutMs)]);
  const images = cluster.podImages(signal);
  const result = await warmUp({ images, judge, maxConcurrent: MAX_CONCURRENT_IMAGES, signal });
  log.info(result, 'warmed up with the images of running pods');
};
