export { CertificateError } from './certificate.ts';
export { createServer, type ReviewServer, type ServerParts } from './server.ts';
