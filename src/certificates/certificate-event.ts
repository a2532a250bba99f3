import type { Step } from './plan.ts';

/** Something an operator should know about the certificates that we issue to ourselves, for the log. */
export interface CertificateEvent {
  readonly code: /** A first CA and certificate, or new ones in place of what could not be used. */
    | 'authority-begun'
    /** The next CA is made, and is to be trusted. */
    | 'authority-prepared'
    /** The next CA issues. */
    | 'authority-promoted'
    /** CAs are trusted no longer. */
    | 'authority-retired'
    | 'certificate-renewed'
    /** The webhook configuration had another bundle. */
    | 'ca-bundle-written'
    /** Another certificate than before is served. */
    | 'certificate-handed-over'
    /** Nothing is lost: it is tried again. */
    | 'certificates-failed';
  /** One line. */
  readonly detail: string;
}

/** What is told of a step that was done. */
export const CODES: Readonly<Record<Exclude<Step['do'], 'nothing'>, CertificateEvent['code']>> = {
  begin: 'authority-begun',
  prepare: 'authority-prepared',
  promote: 'authority-promoted',
  renew: 'certificate-renewed',
  retire: 'authority-retired',
};
