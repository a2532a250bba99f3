import type { Step } from './plan.ts';

/** An event in the life of the webhook's own certificates, for the log. */
export interface CertificateEvent {
  readonly code: /** A first CA and certificate, or new ones in place of unusable ones. */
    | 'authority-begun'
    /** The next CA was created and will be trusted. */
    | 'authority-prepared'
    /** The next CA issues from now on. */
    | 'authority-promoted'
    /** CAs are no longer trusted. */
    | 'authority-retired'
    | 'certificate-renewed'
    /** The webhook configuration had another bundle, which was replaced. */
    | 'ca-bundle-written'
    /** Another certificate is served from now on. */
    | 'certificate-handed-over'
    /** Reconciling failed, and is retried. */
    | 'certificates-failed';
  /** One line. */
  readonly detail: string;
}

/** The event code of each completed step. */
export const CODES: Readonly<Record<Exclude<Step['do'], 'nothing'>, CertificateEvent['code']>> = {
  begin: 'authority-begun',
  prepare: 'authority-prepared',
  promote: 'authority-promoted',
  renew: 'certificate-renewed',
  retire: 'authority-retired',
};
