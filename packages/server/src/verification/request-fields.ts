/** The header fields that the hot path reads. */
export interface RequestFields {
  /** The value of the first Authorization field. */
  authorization: string;
  /** Number of Authorization fields. */
  authorizations: number;
  userAgent: string;
  /** Number of Host fields. */
  hosts: number;
  /** The values of all X-Soku-Require-Scopes fields, joined by spaces; undefined if there is none. */
  requiredScopes: string | undefined;
}

/**
 * Reads the fields in one pass. The first access to `headers` (and `headersDistinct`) builds an object of all fields,
 * which most requests do not need.
 *
 * @param raw alternating names and values as received (IncomingMessage.rawHeaders)
 */
export function readFields(raw: readonly string[]): RequestFields {
  const fields: RequestFields = {
    authorization: '',
    authorizations: 0,
    userAgent: '',
    hosts: 0,
    requiredScopes: undefined,
  };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const { length } = name;
    // The length alone skips nearly every other field.
    if (length === 13 || length === 10 || length === 4 || length === 21)
      keep(fields, name.toLowerCase(), raw[i + 1] ?? '');
  }
  return fields;
}

function keep(fields: RequestFields, name: string, value: string): void {
  if (name === 'authorization') {
    if (fields.authorizations === 0) fields.authorization = value;
    fields.authorizations += 1;
  } else if (name === 'user-agent') {
    fields.userAgent = value;
  } else if (name === 'host') {
    fields.hosts += 1;
  } else if (name === 'x-soku-require-scopes') {
    fields.requiredScopes = fields.requiredScopes === undefined ? value : `${fields.requiredScopes} ${value}`;
  }
}
