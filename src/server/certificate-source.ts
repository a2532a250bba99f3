import { type Certificate, type CertificateFiles, readCertificate } from './certificate.ts';

/** Where the serving certificate comes from. */
export interface CertificateSource {
  /** The certificate to open the port with. Rejects where there is none. */
  first(): Promise<Certificate>;
  /** Hands over each later one, until it is stopped. What goes wrong is told, and the last good one stays. */
  watch(tell: CertificateListener): () => void;
}

export interface CertificateListener {
  readonly onChange: (certificate: Certificate) => void;
  /** Told once of each problem that lasts. */
  readonly onProblem: (error: unknown) => void;
}

/** Milliseconds between two looks at the files. The kubelet swaps a symbolic link, which no file watch sees reliably. */
const POLL_INTERVAL_MS = 3_000;

/** Tells a problem once, when a second look finds it too: files may be swapped between the reading of one and the other. */
const onceEach = (problem: CertificateListener['onProblem']) => {
  let last = '';
  let times = 0;
  return {
    clear: () => {
      last = '';
    },
    tell: (error: unknown) => {
      const text = String(error);
      times = text === last ? times + 1 : 1;
      last = text;
      if (times === 2) problem(error);
    },
  };
};

/** PEM files that others replace: a mounted Secret, whoever fills it. Half a pair, or none, leaves the last good one. */
export const createFileCertificates = (
  files: CertificateFiles,
  every = POLL_INTERVAL_MS,
): CertificateSource => ({
  first: () => readCertificate(files),
  watch({ onChange: use, onProblem: problem }) {
    const problems = onceEach(problem);
    let last = '';
    let busy = false;
    const look = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        const certificate = await readCertificate(files);
        problems.clear();
        if (certificate.cert !== last) use(certificate);
        last = certificate.cert;
      } catch (error) {
        problems.tell(error);
      } finally {
        busy = false;
      }
    };
    const timer = setInterval(() => void look(), every);
    return () => clearInterval(timer);
  },
});

/**
 * A source that issues certificates, and the files that what it issued is mounted as: where its first answer does not
 * come, the files serve if they may for that error, so that a webhook starts while the API server is away. Where nobody
 * knows whether what is mounted is trusted, they must not: a replica would be ready in vain. Later ones come from the
 * source alone, which knows when another CA is trusted; a mounted file does not.
 */
export const withFallback = (
  issued: CertificateSource,
  files: CertificateSource,
  mayServe: (error: unknown) => boolean,
): CertificateSource => ({
  async first() {
    try {
      return await issued.first();
    } catch (error) {
      if (!mayServe(error)) throw error;
      return await files.first().catch(() => {
        throw error;
      });
    }
  },
  watch: issued.watch,
});
