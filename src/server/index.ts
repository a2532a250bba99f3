export {
  type Certificate,
  CertificateError,
  type CertificatePair,
  parsePair,
} from './certificate.ts';
export { type CertificateSource, createFileCertificates, eitherOf } from './certificate-source.ts';
export { createServer, type ReviewServer, type ServerParts } from './server.ts';
