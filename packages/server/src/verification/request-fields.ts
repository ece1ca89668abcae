/** What the hot path reads of a request's header. */
export interface RequestFields {
  /** The first Authorization field's value. */
  authorization: string;
  /** How many Authorization fields came. */
  authorizations: number;
  userAgent: string;
  /** How many Host fields came. */
  hosts: number;
}

/**
 * Finds them in one pass. Node would make an object of all fields (and another one with their repetitions) the
 * first time that it is asked for `headers` (and `headersDistinct`); most requests need neither.
 *
 * @param raw names and values in turn, as they came (IncomingMessage.rawHeaders)
 */
export function readFields(raw: readonly string[]): RequestFields {
  const fields: RequestFields = { authorization: '', authorizations: 0, userAgent: '', hosts: 0 };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const { length } = name;
    // The length alone passes over nearly every other field.
    if (length === 13 || length === 10 || length === 4) keep(fields, name.toLowerCase(), raw[i + 1] ?? '');
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
  }
}
