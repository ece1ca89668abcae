import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, both in PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

const dayMs = 86_400_000;

/** Tags of DER (X.690); from `explicit0` on, those of the numbered fields of a certificate. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  explicit0: 0xa0,
  explicit3: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
};

/** Object identifiers in DER encoding. */
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
};

/**
 * Creates a self-signed certificate (RFC 5280) for localhost and 127.0.0.1, valid from yesterday to tomorrow. Encoded
 * here because Node creates keys and signatures but no certificates, and a clean machine may have no openssl.
 */
export function createCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(tag.sequence, object(oid.ecdsaWithSha256));
  const name = der(
    tag.sequence,
    der(tag.set, der(tag.sequence, object(oid.commonName), der(tag.utf8, Buffer.from('Test')))),
  );
  const body = der(
    tag.sequence,
    der(tag.explicit0, der(tag.integer, Buffer.from([2]))),
    // The leading 1 keeps the random serial number positive.
    der(tag.integer, Buffer.from([1]), randomBytes(8)),
    algorithm,
    name,
    der(tag.sequence, time(Date.now() - dayMs), time(Date.now() + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(tag.explicit3, der(tag.sequence, ...extensions())),
  );
  const signature = der(tag.bits, Buffer.from([0]), sign('sha256', body, privateKey));
  return {
    certificate: pem(der(tag.sequence, body, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(): Buffer[] {
  const authority = der(tag.sequence, der(tag.boolean, Buffer.from([0xff])));
  const names = der(
    tag.sequence,
    der(tag.dnsName, Buffer.from('localhost')),
    der(tag.ipAddress, Buffer.from([127, 0, 0, 1])),
  );
  return [
    der(tag.sequence, object(oid.basicConstraints), der(tag.octets, authority)),
    der(tag.sequence, object(oid.subjectAltName), der(tag.octets, names)),
  ];
}

function der(type: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([type, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([type, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([type, 0x82, length >> 8, length & 0xff]), content]);
}

function object(hex: string): Buffer {
  return der(tag.oid, Buffer.from(hex, 'hex'));
}

/** YYMMDDHHMMSSZ. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '');
  return der(tag.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
