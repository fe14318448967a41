export { type Announcing, announcementOf, isAnnouncementSigned } from './announcement.js';
export { type Certificate, certificateOf, type CertifiedKey, readCertificate } from './certificate.js';
export { identityOfPem, isSignedBy, keyOfText, signatureOf, statement, textOfKey } from './identity.js';
export { isJoinProof, joinProof, joinTokenRecord, type JoinTokenRecord } from './join-token.js';
export { isLeaseRequestSigned, leaseRequestOf } from './lease-request.js';
export { grantLease, isGrantSigned, type LeaseTerms, openLease, refuseLease } from './sealed-lease.js';
