import { type Certificate, type CertificateFiles, readCertificate } from './certificate.ts';

/** A source of serving certificates. */
export interface CertificateSource {
  /** Returns the certificate to open the port with. Rejects if there is none. */
  first(): Promise<Certificate>;
  /** Calls the listener for each later certificate, and for each problem. Returns a function that stops watching. */
  watch(listener: CertificateListener): () => void;
}

export interface CertificateListener {
  readonly onChange: (certificate: Certificate) => void;
  /** Called once for each problem that persists; the last good certificate stays in use. */
  readonly onProblem: (error: unknown) => void;
}

/** The kubelet swaps a symbolic link, which no file watch notices reliably: so the files are polled. */
const POLL_INTERVAL_MS = 3_000;

/** Reports a problem once, when it occurs for the second time: the files may be swapped between reading one and the other. */
const createProblemReporter = (onProblem: CertificateListener['onProblem']) => {
  let last = '';
  let times = 0;
  return {
    clear: () => {
      last = '';
    },
    report: (error: unknown) => {
      const text = String(error);
      times = text === last ? times + 1 : 1;
      last = text;
      if (times === 2) onProblem(error);
    },
  };
};

/** Creates a source of PEM files that are replaced from outside, such as a mounted Secret. An invalid pair is a problem. */
export const createFileCertificates = (
  files: CertificateFiles,
  intervalMs = POLL_INTERVAL_MS,
): CertificateSource => ({
  first: () => readCertificate(files),
  watch({ onChange, onProblem }) {
    const problems = createProblemReporter(onProblem);
    let last = '';
    let busy = false;
    const poll = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        const certificate = await readCertificate(files);
        problems.clear();
        if (certificate.cert !== last) onChange(certificate);
        last = certificate.cert;
      } catch (error) {
        problems.report(error);
      } finally {
        busy = false;
      }
    };
    const timer = setInterval(() => void poll(), intervalMs);
    return () => clearInterval(timer);
  },
});

/**
 * Creates a source that issues certificates, with the mounted files of issued certificates as a fallback: if the first
 * certificate cannot be issued and `mayServe` allows it for that error, the files are used, so that a webhook starts
 * while the API server is not available. They must not be used if it is unknown whether the mounted certificate is
 * trusted: the replica would be ready but fail every call. Later certificates come from the issuer alone, because only
 * the issuer knows when another CA is trusted.
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
